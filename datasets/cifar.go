package datasets

import (
	"fmt"
	"io"
)

// The CIFAR binary versions: records of the labels, a byte each, and the red, the
// green and the blue plane of an image.
const (
	cifarSide   = 32
	cifarPlane  = cifarSide * cifarSide
	cifarPixels = 3 * cifarPlane
)

// A cifarForm says how many labels a record has, which of them counts, and how many
// classes it knows.
type cifarForm struct{ labels, label, classes int }

var (
	cifar10        = cifarForm{labels: 1, label: 0, classes: 10}
	cifar100Coarse = cifarForm{labels: 2, label: 0, classes: 20}
	cifar100Fine   = cifarForm{labels: 2, label: 1, classes: 100}
)

// record returns the bytes of a record.
func (form cifarForm) record() int { return form.labels + cifarPixels }

// DecodeCIFAR10 reads a file of the CIFAR-10 binary version: one or more
// records of one label, 0 to 9, and 32x32 pixels. The planes of the file are
// interleaved: pixels has the layout [n, 32, 32, 3] with red, green, blue. The
// error is a [*FormatError], or that of the reader.
func DecodeCIFAR10(r io.Reader) (pixels []byte, labels []int32, err error) {
	records, err := io.ReadAll(r)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, nil, err
	}
	record := cifar10.record()
	if len(records)%record != 0 || len(records) == 0 || err != nil {
		whole := len(records) / record
		return nil, nil, &FormatError{
			Offset: int64(whole * record), Field: fmt.Sprintf("record %d", whole),
			Got:     fmt.Sprintf("the end of the file after %d bytes", len(records)%record),
			Allowed: fmt.Sprintf("%d bytes", record),
		}
	}
	return cifar10.parse(records)
}

// parse decodes whole records.
func (form cifarForm) parse(records []byte) (pixels []byte, labels []int32, err error) {
	n := len(records) / form.record()
	pixels = make([]byte, n*cifarPixels)
	labels = make([]int32, n)
	for i := range n {
		record := records[i*form.record():][:form.record()]
		label := int(record[form.label])
		if label >= form.classes {
			return nil, nil, &FormatError{Offset: int64(i*form.record() + form.label), Field: fmt.Sprintf("label %d", i), Got: fmt.Sprint(label), Allowed: fmt.Sprintf("0 to %d", form.classes-1)}
		}
		labels[i] = int32(label)
		planes := record[form.labels:]
		red, green, blue := planes[:cifarPlane], planes[cifarPlane:][:cifarPlane], planes[2*cifarPlane:][:cifarPlane]
		image := pixels[i*cifarPixels:][:cifarPixels]
		for p := range cifarPlane {
			image[3*p], image[3*p+1], image[3*p+2] = red[p], green[p], blue[p]
		}
	}
	return pixels, labels, nil
}
