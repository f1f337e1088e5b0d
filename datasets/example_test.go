package datasets_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"github.com/embedspace/embedspace/datasets"
)

// The built-in sample of MNIST needs no file and no network. Full MNIST is
// loaded the same way: Load(ctx, "mnist", os.Stderr).
func ExampleLoad() {
	train, test, err := datasets.Load(context.Background(), "mnist-sample", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), test.Len(), train.Height, train.Width, train.Channels)
	fmt.Println(train.ClassNames[train.Labels[3]])
	// Output:
	// 5000 1000 28 28 1
	// 3
}

// Six of the ten classes are known; a tenth of their images is for
// validation.
func ExampleDataset_Select() {
	all, _, err := datasets.Load(context.Background(), "fashion-mnist-sample", nil)
	if err != nil {
		log.Fatal(err)
	}
	known, err := all.Select(2, 4, 5, 9, 8, 3)
	if err != nil {
		log.Fatal(err)
	}
	validation, train, err := known.Split(known.Len()/10, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(known.ClassNames)
	fmt.Println(validation.Len(), train.Len())
	// Output:
	// [Pullover Coat Sandal Ankle boot Bag Dress]
	// 300 2700
}

// Own images: one folder per class.
func ExampleLoadFolder() {
	dir, err := os.MkdirTemp("", "shapes")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, class := range []string{"circle", "square"} {
		if err := os.Mkdir(filepath.Join(dir, class), 0o755); err != nil {
			log.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, class, "1.png"))
		if err != nil {
			log.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 64, 48))); err != nil {
			log.Fatal(err)
		}
	}
	d, err := datasets.LoadFolder(dir, datasets.FolderOptions{Height: 28, Width: 28, Channels: 1, Resize: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Len(), d.Height, d.Width, d.ClassNames)
	// Output:
	// 2 28 28 [circle square]
}

// A dataset made by hand: two images of 1x2 pixels.
func ExampleDataset_Validate() {
	d := &datasets.Dataset{
		Name:   "toy",
		Images: []byte{0, 255, 255, 0},
		Labels: []int32{0, 2},
		Height: 1, Width: 2, Channels: 1,
		ClassNames: []string{"right", "left"},
	}
	fmt.Println(d.Validate())
	// Output:
	// datasets: toy: label 1 is 2; allowed: 0 to 1, for 2 class names
}
