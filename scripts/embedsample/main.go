// Command embedsample makes the samples of MNIST and Fashion-MNIST that package
// datasets embeds: 500 training and 100 test images of each class, drawn with a
// fixed seed from the published training and test sets, as PNG mosaics of 50
// images per row, class after class.
//
// Run it by `go generate ./datasets`. The same Go version makes the same bytes;
// any version makes the same pixels.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"github.com/embedspace/embedspace/datasets"
)

const (
	seed          = 1
	trainPerClass = 500
	testPerClass  = 100
	columns       = 50
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", "samples", "the folder to write into")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("unexpected argument %q; the only flag is -out", flag.Arg(0))
	}
	for _, name := range []string{"mnist", "fashion-mnist"} {
		train, test, err := datasets.Load(context.Background(), name, os.Stderr)
		if err == nil && !train.Canonical {
			err = fmt.Errorf("%s is not the published one", name)
		}
		if err == nil {
			err = write(filepath.Join(*out, name+"-train.png"), train, trainPerClass)
		}
		if err == nil {
			err = write(filepath.Join(*out, name+"-test.png"), test, testPerClass)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

// write draws perClass images of each class of d and writes their mosaic.
func write(path string, d *datasets.Dataset, perClass int) error {
	mosaic := image.NewGray(image.Rect(0, 0, columns*d.Width, d.Classes()*perClass/columns*d.Height))
	for class := range d.Classes() {
		members, err := d.Select(class)
		if err != nil {
			return err
		}
		drawn, err := members.Subset(perClass, seed)
		if err != nil {
			return err
		}
		for i := range drawn.Len() {
			tile := class*perClass + i
			for y := range d.Height {
				copy(mosaic.Pix[mosaic.PixOffset(tile%columns*d.Width, tile/columns*d.Height+y):], drawn.At(i)[y*d.Width:][:d.Width])
			}
		}
	}
	var encoded bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&encoded, mosaic); err != nil {
		return err
	}
	fmt.Printf("%s: %d images, %d bytes\n", path, d.Classes()*perClass, encoded.Len())
	temporary := path + ".new"
	if err := os.WriteFile(temporary, encoded.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
