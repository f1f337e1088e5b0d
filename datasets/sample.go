package datasets

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
	"sync"
)

//go:generate go run ../scripts/embedsample

// The samples are PNG mosaics of 50 images per row, class after class, each
// class with the same number of images. (PNG is smaller than gzipped IDX, and
// one can look at it.)
//
//go:embed samples/*.png
var samples embed.FS

const mosaicColumns = 50

// loadSample decodes the two mosaics of the built-in sample at once.
func (p *publication) loadSample() (train, test *Dataset, err error) {
	var testErr error
	var group sync.WaitGroup
	group.Go(func() { test, testErr = p.decodeSample("test") })
	train, err = p.decodeSample("train")
	group.Wait()
	if err = errors.Join(err, testErr); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// decodeSample takes one mosaic apart. The classes alternate in the result:
// 0, 1, ..., 9, 0, 1, ...
func (p *publication) decodeSample(part string) (*Dataset, error) {
	file, err := samples.ReadFile(fmt.Sprintf("samples/%s-%s.png", p.name, part))
	if err != nil {
		return nil, err
	}
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	mosaic := decoded.(*image.Gray)
	rows := mosaic.Rect.Dy() / p.height
	n, classes := rows*mosaicColumns, len(p.classNames)
	d := &Dataset{
		Name:   p.sample,
		Images: make([]byte, 0, n*p.height*p.width),
		Labels: make([]int32, 0, n),
		Height: p.height, Width: p.width, Channels: 1,
		ClassNames: slices.Clone(p.classNames),
		Canonical:  true,
	}
	for i := range n {
		class := i % classes
		tile := class*(n/classes) + i/classes
		row, column := tile/mosaicColumns, tile%mosaicColumns
		for y := range p.height {
			start := mosaic.PixOffset(column*p.width, row*p.height+y)
			d.Images = append(d.Images, mosaic.Pix[start:start+p.width]...)
		}
		d.Labels = append(d.Labels, int32(class))
	}
	d.Checksum = d.ComputeChecksum()
	return d, nil
}
