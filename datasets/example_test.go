package datasets_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
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

// drawShapes makes a folder of own images: circle/0.png to circle/9.png and
// square/0.png to square/9.png, of 48x64 pixels.
func drawShapes() (dir string) {
	dir, err := os.MkdirTemp("", "shapes")
	if err != nil {
		log.Fatal(err)
	}
	for c, class := range []string{"circle", "square"} {
		if err := os.Mkdir(filepath.Join(dir, class), 0o755); err != nil {
			log.Fatal(err)
		}
		for i := range 10 {
			f, err := os.Create(filepath.Join(dir, class, fmt.Sprintf("%d.png", i)))
			if err != nil {
				log.Fatal(err)
			}
			img := image.NewGray(image.Rect(0, 0, 64, 48))
			draw.Draw(img, image.Rect(i, 0, 20+i, 20+20*c), image.White, image.Point{}, draw.Src)
			if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
				log.Fatal(err)
			}
		}
	}
	return dir
}

// Own images, one folder per class: dir/circle/0.png, dir/square/0.png and so
// on. 80 % of each class are for training. On the command line it is
// -dataset folder:PATH.
func ExampleLoad_folder() {
	dir := drawShapes()
	defer os.RemoveAll(dir)
	train, test, err := datasets.Load(context.Background(), "folder:"+dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), test.Len(), train.Height, train.Width, train.Channels, train.ClassNames)

	train, test, err = datasets.Load(context.Background(), "folder:"+dir+":size=28x28:test=0.3:seed=2", nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), test.Len(), train.Height, train.Width, train.Channels, train.ClassNames)
	// Output:
	// 16 4 48 64 1 [circle square]
	// 14 6 28 28 1 [circle square]
}

// The same in two steps, with RGB for images that are gray.
func ExampleLoadFolder() {
	dir := drawShapes()
	defer os.RemoveAll(dir)
	all, err := datasets.LoadFolder(dir, datasets.FolderOptions{Height: 28, Width: 28, Channels: 3, Resize: true})
	if err != nil {
		log.Fatal(err)
	}
	train, test, err := all.HoldOut(0.3, 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), test.Len(), all.Height, all.Width, all.Channels, all.ClassNames)
	// Output:
	// 14 6 28 28 3 [circle square]
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
