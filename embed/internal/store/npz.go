package store

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/numpy"
)

// Arrays is what a .npz file holds, by name.
type Arrays map[string]*tensors.Tensor

// Matrix returns an array of rows of so many columns.
func Matrix(values []float32, columns int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, len(values)/columns, columns)
}

// Vector returns an array of one axis.
func Vector[T int32 | float32 | byte](values []T) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, len(values))
}

// Object returns a value as JSON, an array of bytes.
func Object(value any) (*tensors.Tensor, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return Vector(encoded), nil
}

// Read copies the numbers of the array of that name: of type float32 or int32, or of
// twice as many bytes, as NumPy makes them by default. Those are rounded to float32, and
// brought into the range of int32.
func Read[T float32 | int32](arrays Arrays, name string, into *[]T) error {
	array, ok := arrays[name]
	if !ok {
		return fmt.Errorf("no array %q", name)
	}
	var err error
	wanted, wide := dtypes.FromGenericsType[T](), dtypes.Float64
	if wanted == dtypes.Int32 {
		wide = dtypes.Int64
	}
	switch got := array.DType(); {
	case got == wanted:
		*into, err = tensors.CopyFlatData[T](array)
	case got != wide:
		err = fmt.Errorf("array %q is of type %s; allowed: %s and %s", name, got, wanted, wide)
	case wide == dtypes.Float64:
		*into, err = converted(array, func(number float64) T { return T(number) })
	default:
		*into, err = converted(array, func(number int64) T { return T(max(math.MinInt32, min(number, math.MaxInt32))) })
	}
	return err
}

// converted returns the numbers of an array, each of them converted.
func converted[From float64 | int64, To float32 | int32](array *tensors.Tensor, convert func(From) To) ([]To, error) {
	numbers, err := tensors.CopyFlatData[From](array)
	result := make([]To, len(numbers))
	for i, number := range numbers {
		result[i] = convert(number)
	}
	return result, err
}

// ReadObject reads the JSON of the array of that name into a value.
func ReadObject(arrays Arrays, name string, value any) error {
	array, ok := arrays[name]
	if !ok {
		return fmt.Errorf("no array %q", name)
	}
	var err error
	if accessErr := array.ConstBytes(func(data []byte) { err = json.Unmarshal(data, value) }); accessErr != nil {
		return accessErr
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// WriteNpz writes arrays as NumPy's .npz, which is a zip file of .npy files, in the order
// of their names, by a method of package zip: stored or compressed. The file is replaced
// whole. It is not built in memory: a checkpoint of a large network has a GiB.
func WriteNpz(path string, arrays Arrays, method uint16) error {
	return replace(path, func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, name := range slices.Sorted(maps.Keys(arrays)) {
			entry, err := archive.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: method})
			if err != nil {
				return err
			}
			if err := numpy.ToNpyWriter(arrays[name], entry); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return archive.Close() // has the error of a write that ToNpyWriter does not return
	})
}

// ReadNpz reads what WriteNpz has written. Each array is read to the end of its entry,
// where the zip file's checksum is compared.
func ReadNpz(path string) (arrays Arrays, err error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	arrays = Arrays{}
	for _, file := range archive.File {
		if arrays[strings.TrimSuffix(file.Name, ".npy")], err = readNpy(file); err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return arrays, nil
}

func readNpy(file *zip.File) (*tensors.Tensor, error) {
	entry, err := file.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(entry)
	if err != nil {
		return nil, err
	}
	return numpy.FromNpyReader(bytes.NewReader(content))
}
