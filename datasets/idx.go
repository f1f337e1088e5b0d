package datasets

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The IDX format: a magic number (two zero bytes, the element type, the number
// of dimensions), the dimensions, then the elements, all big-endian. The type
// 8 is the unsigned byte, 12 the signed integer of four bytes.
const (
	idxMagicLabels = 0x0000_0801
	idxMagicImages = 0x0000_0803
	idxMagicTable  = 0x0000_0C02

	maxSide = 1 << 13 // of an image, in pixels
)

func validSide[T int | int64](n T) bool { return n >= 1 && n <= maxSide }

// readIDXHeader reads the magic number, which must be magic, and the
// dimensions with these names.
func readIDXHeader(r io.Reader, magic uint32, names ...string) (dims []int64, err error) {
	var word [4]byte
	if err := readField(r, word[:], 0, "magic number"); err != nil {
		return nil, err
	}
	if got := binary.BigEndian.Uint32(word[:]); got != magic {
		kinds := map[uint32]string{idxMagicLabels: " (IDX labels)", idxMagicImages: " (IDX images)", idxMagicTable: " (IDX table)"}
		return nil, &FormatError{Offset: 0, Field: "magic number", Got: fmt.Sprintf("%#08x%s", got, kinds[got]), Allowed: fmt.Sprintf("%#08x%s", magic, kinds[magic])}
	}
	for i, name := range names {
		offset := int64(4 + 4*i)
		if err := readField(r, word[:], offset, name); err != nil {
			return nil, err
		}
		dim := binary.BigEndian.Uint32(word[:])
		if dim == 0 {
			return nil, &FormatError{Offset: offset, Field: name, Got: "0", Allowed: "1 or more"}
		}
		dims = append(dims, int64(dim))
	}
	return dims, nil
}

// DecodeIDXImages reads an uncompressed IDX file of unsigned bytes in three
// dimensions, as MNIST and Fashion-MNIST use it for their images. The pixels
// have the layout [n, height, width], with 1 to 8192 pixels each way; the
// stream must end with them. The error is a [*FormatError], or that of the
// reader.
func DecodeIDXImages(r io.Reader) (pixels []byte, height, width int, err error) {
	dims, err := readIDXHeader(r, idxMagicImages, "number of images", "image height", "image width")
	if err != nil {
		return nil, 0, 0, err
	}
	if !validSide(dims[1]) || !validSide(dims[2]) {
		return nil, 0, 0, &FormatError{Offset: 8, Field: "height x width", Got: fmt.Sprintf("%d x %d", dims[1], dims[2]), Allowed: fmt.Sprintf("1 to %d pixels each", maxSide)}
	}
	pixels, err = readContent(r, dims[0]*dims[1]*dims[2], 16, "pixels")
	if err != nil {
		return nil, 0, 0, err
	}
	return pixels, int(dims[1]), int(dims[2]), nil
}

// DecodeIDXLabels reads an uncompressed IDX file of unsigned bytes in one
// dimension, as MNIST and Fashion-MNIST use it for their labels. The stream
// must end with them. The error is a [*FormatError], or that of the reader.
func DecodeIDXLabels(r io.Reader) (labels []int32, err error) {
	dims, err := readIDXHeader(r, idxMagicLabels, "number of labels")
	if err != nil {
		return nil, err
	}
	content, err := readContent(r, dims[0], 8, "labels")
	if err != nil {
		return nil, err
	}
	labels = make([]int32, len(content))
	for i, label := range content {
		labels[i] = int32(label)
	}
	return labels, nil
}

// decodeIDXTable reads an uncompressed IDX file of integers in two dimensions, as QMNIST
// uses it for its labels: a row for each image, which begins with the class. Errors are
// those of DecodeIDXLabels.
func decodeIDXTable(r io.Reader) (labels []int32, err error) {
	const maxColumns = 64
	dims, err := readIDXHeader(r, idxMagicTable, "number of labels", "number of columns")
	if err != nil {
		return nil, err
	}
	if dims[1] > maxColumns {
		return nil, &FormatError{Offset: 8, Field: "number of columns", Got: fmt.Sprint(dims[1]), Allowed: fmt.Sprintf("1 to %d", maxColumns)}
	}
	row := 4 * dims[1]
	content, err := readContent(r, dims[0]*row, 12, "labels")
	if err != nil {
		return nil, err
	}
	labels = make([]int32, dims[0])
	for i := range labels {
		labels[i] = int32(binary.BigEndian.Uint32(content[int64(i)*row:]))
	}
	return labels, nil
}
