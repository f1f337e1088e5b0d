package datasets

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// Of JPEG and of EXIF (CIPA DC-008), which JPEG holds in its segment APP1: a header
// and a directory as in TIFF.
const (
	jpegStart = 0xFFD8
	jpegScan  = 0xFFDA // the pixels begin
	jpegAPP1  = 0xFFE1

	exifOrientation = 0x0112
	exifShort       = 3 // a type, of two bytes
)

// readOrientation returns the EXIF orientation of a JPEG file, 1 to 8: how its pixels
// are turned and mirrored where it is shown. It is 1, as they are, where the file
// says none or is no JPEG.
func readOrientation(file io.Reader) int {
	r := bufio.NewReader(file)
	var start uint16
	if binary.Read(r, binary.BigEndian, &start) != nil || start != jpegStart {
		return 1
	}
	for {
		var segment struct{ Marker, Length uint16 }
		if binary.Read(r, binary.BigEndian, &segment) != nil || segment.Marker < 0xFF00 || segment.Marker == jpegScan || segment.Length < 2 {
			return 1
		}
		content := make([]byte, segment.Length-2)
		if _, err := io.ReadFull(r, content); err != nil {
			return 1
		}
		if exif, ok := bytes.CutPrefix(content, []byte("Exif\x00\x00")); ok && segment.Marker == jpegAPP1 {
			return orientationIn(exif)
		}
	}
}

// orientationIn returns the orientation in the content of EXIF.
func orientationIn(exif []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(exif, []byte("MM")) {
		order = binary.BigEndian
	}
	short := func(at uint32) uint16 {
		if int64(at)+2 > int64(len(exif)) {
			return 0
		}
		return order.Uint16(exif[at:])
	}
	if len(exif) < 8 {
		return 1
	}
	directory := order.Uint32(exif[4:])
	for i := range uint32(short(directory)) {
		entry := directory + 2 + 12*i // tag, type, count (4 bytes), value
		if short(entry) == exifOrientation && short(entry+2) == exifShort {
			if value := short(entry + 8); value >= 1 && value <= 8 {
				return int(value)
			}
		}
	}
	return 1
}

// stored returns where the pixel (x, y) of an image that is shown stands in one that
// is stored, of this width and height, with an EXIF orientation.
func stored(x, y, width, height, orientation int) (int, int) {
	if orientation >= 5 {
		x, y = y, x
	}
	switch orientation {
	case 2, 3, 7, 8:
		x = width - 1 - x
	}
	switch orientation {
	case 3, 4, 6, 7:
		y = height - 1 - y
	}
	return x, y
}
