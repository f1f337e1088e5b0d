package datasets

import (
	"fmt"
	"io"
)

// The CIFAR-10 binary version: records of one label byte and the red, the
// green and the blue plane of an image.
const (
	cifarSide    = 32
	cifarPlane   = cifarSide * cifarSide
	cifarPixels  = 3 * cifarPlane
	cifarRecord  = 1 + cifarPixels
	cifarClasses = 10
)

// DecodeCIFAR10 reads a file of the CIFAR-10 binary version: one or more
// records of one label, 0 to 9, and 32x32 pixels. The planes of the file are
// interleaved: pixels has the layout [n, 32, 32, 3] with red, green, blue. The
// error is a [*FormatError], or that of the reader.
func DecodeCIFAR10(r io.Reader) (pixels []byte, labels []int32, err error) {
	records, err := io.ReadAll(r)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, nil, err
	}
	if len(records)%cifarRecord != 0 || len(records) == 0 || err != nil {
		whole := len(records) / cifarRecord
		return nil, nil, &FormatError{
			Offset: int64(whole * cifarRecord), Field: fmt.Sprintf("record %d", whole),
			Got:     fmt.Sprintf("the end of the file after %d bytes", len(records)%cifarRecord),
			Allowed: fmt.Sprintf("%d bytes", cifarRecord),
		}
	}
	return parseCIFAR10(records)
}

// parseCIFAR10 decodes whole records.
func parseCIFAR10(records []byte) (pixels []byte, labels []int32, err error) {
	n := len(records) / cifarRecord
	pixels = make([]byte, n*cifarPixels)
	labels = make([]int32, n)
	for i := range n {
		record := records[i*cifarRecord:][:cifarRecord]
		if record[0] >= cifarClasses {
			return nil, nil, &FormatError{Offset: int64(i * cifarRecord), Field: fmt.Sprintf("label %d", i), Got: fmt.Sprint(record[0]), Allowed: fmt.Sprintf("0 to %d", cifarClasses-1)}
		}
		labels[i] = int32(record[0])
		red, green, blue := record[1:][:cifarPlane], record[1+cifarPlane:][:cifarPlane], record[1+2*cifarPlane:][:cifarPlane]
		image := pixels[i*cifarPixels:][:cifarPixels]
		for p := range cifarPlane {
			image[3*p], image[3*p+1], image[3*p+2] = red[p], green[p], blue[p]
		}
	}
	return pixels, labels, nil
}
