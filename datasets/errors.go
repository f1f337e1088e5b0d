package datasets

import (
	"errors"
	"fmt"
	"io"
)

// FormatError says where the content of a file departs from its format.
type FormatError struct {
	File    string // path of the file; empty if a reader was decoded
	Offset  int64  // where the field begins, in bytes of the uncompressed content
	Field   string // the field, e.g. "magic number" or "label 17"
	Got     string // what the file has
	Allowed string // what the format allows
}

// Error names the file, the field with its place, what the file has and what
// is allowed.
func (e *FormatError) Error() string {
	file := e.File
	if file != "" {
		file += ": "
	}
	return fmt.Sprintf("datasets: %s%s at offset %d: got %s; allowed: %s", file, e.Field, e.Offset, e.Got, e.Allowed)
}

// inFile names the file in err: in its File field if err is a FormatError.
func inFile(file string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok {
		e.File = file
		return e
	}
	if err != nil {
		return fmt.Errorf("datasets: %s: %w", file, err)
	}
	return nil
}

// readField fills buf, which is the field at offset. A stream that ends early
// gives a FormatError.
func readField(r io.Reader, buf []byte, offset int64, field string) error {
	n, err := io.ReadFull(r, buf)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &FormatError{Offset: offset, Field: field, Got: fmt.Sprintf("the end of the file after %d bytes", n), Allowed: fmt.Sprintf("%d bytes", len(buf))}
	}
	return err
}

// readContent reads the n bytes of the field at offset, which must be the last
// of the stream. Memory grows with what arrives, not with what n promises: it
// is at most 64 times as much.
func readContent(r io.Reader, n, offset int64, field string) ([]byte, error) {
	buf := make([]byte, min(n, 1<<16))
	have := 0
	for {
		read, err := io.ReadFull(r, buf[have:])
		have += read
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, &FormatError{Offset: offset, Field: field, Got: fmt.Sprintf("the end of the file after %d bytes", have), Allowed: fmt.Sprintf("%d bytes", n)}
		}
		if err != nil {
			return nil, err
		}
		if int64(have) == n {
			break
		}
		larger := make([]byte, min(n, 64*int64(have)))
		copy(larger, buf)
		buf = larger
	}
	switch _, err := io.ReadFull(r, make([]byte, 1)); err {
	case io.EOF:
		return buf, nil
	case nil:
		return nil, &FormatError{Offset: offset + n, Field: "end of file", Got: "more bytes", Allowed: fmt.Sprintf("%d bytes in all", offset+n)}
	default:
		return nil, err
	}
}
