package datasets

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"path/filepath"
	"slices"
	"testing"
)

// withOrientation puts an EXIF segment behind the first two bytes of a JPEG file, and
// one of another kind before it.
func withOrientation(jpeg []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	mark := map[binary.AppendByteOrder]string{binary.LittleEndian: "II", binary.BigEndian: "MM"}[order]
	exif := []byte("Exif\x00\x00" + mark)
	exif = order.AppendUint16(exif, 42)
	exif = order.AppendUint32(exif, 8) // where the directory begins
	exif = order.AppendUint16(exif, 2) // its entries
	for _, entry := range [][2]uint16{{0x0110, 7}, {exifOrientation, orientation}} {
		exif = order.AppendUint16(exif, entry[0])
		exif = order.AppendUint16(exif, exifShort)
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint16(exif, entry[1])
		exif = order.AppendUint16(exif, 0)
	}
	comment := []byte{0xFF, 0xFE, 0, 4, 'h', 'i'}
	segment := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(2+len(exif)))
	return slices.Concat(jpeg[:2], comment, segment, exif, jpeg[2:])
}

// quarters is an image of 16 x 32 pixels whose corners are black, dark, light and white: top
// left, top right, bottom left, bottom right.
func quarters() *image.Gray {
	img := image.NewGray(image.Rect(0, 0, 32, 16))
	for p := range img.Pix {
		img.Pix[p] = byte(p%32/16*85 + p/32/8*170)
	}
	return img
}

// The orientations as EXIF defines them: what stands at the top left, top right, bottom
// left and bottom right when the image is shown.
func TestOrientation(t *testing.T) {
	const a, b, c, d = 0, 85, 170, 255 // as stored
	for orientation, want := range map[uint16][4]int{
		1: {a, b, c, d}, 2: {b, a, d, c}, 3: {d, c, b, a}, 4: {c, d, a, b},
		5: {a, c, b, d}, 6: {c, a, d, b}, 7: {d, b, c, a}, 8: {b, d, a, c},
		0: {a, b, c, d}, 9: {a, b, c, d},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			dir := t.TempDir()
			write(t, withOrientation(jpegOf(t, quarters()), order, orientation), dir, "x", "1.jpg")
			for _, opts := range []FolderOptions{{}, {Height: 10, Width: 20, Resize: true}} {
				got, err := LoadFolder(dir, opts)
				if err != nil {
					t.Fatal(err)
				}
				if upright := got.Height == 32; opts.Height == 0 && upright != (orientation >= 5 && orientation <= 8) {
					t.Errorf("orientation %d: %d x %d pixels", orientation, got.Height, got.Width)
				}
				for i, corner := range []image.Point{{1, 1}, {got.Width - 2, 1}, {1, got.Height - 2}, {got.Width - 2, got.Height - 2}} {
					gray := int(got.Image(0).At(corner.X, corner.Y).(color.Gray).Y)
					if max(gray-want[i], want[i]-gray) > 3 {
						t.Errorf("orientation %d, %v, %+v: %d at %v, want %d", orientation, order, opts, gray, corner, want[i])
					}
				}
			}
		}
	}
}

// Named folders keep or scale images by the size that is shown.
func TestOrientationAndSize(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		img := quarters()
		img.Pix[0] = byte(50 * i)
		write(t, withOrientation(jpegOf(t, img), binary.BigEndian, 6), dir, fmt.Sprint(i%2), fmt.Sprint(i, ".jpg"))
	}
	train, _, err := Load(t.Context(), "folder:"+dir, nil)
	if err != nil || train.Height != 32 || train.Width != 16 {
		t.Fatalf("%v, %v", train, err)
	}
	write(t, jpegOf(t, quarters()), dir, "0", "lying.jpg")
	if train, _, err = Load(t.Context(), "folder:"+dir, nil); err != nil || train.Height != scaledSide || train.Width != scaledSide {
		t.Errorf("images that stand and lie: %v, %v", train, err)
	}
	if _, err := LoadFolder(filepath.Join(dir), FolderOptions{}); err == nil {
		t.Error("images that stand and lie have one size")
	}
}

func FuzzReadOrientation(f *testing.F) {
	f.Add(withOrientation([]byte{0xFF, 0xD8, 0xFF, 0xDA}, binary.LittleEndian, 6))
	f.Add(withOrientation([]byte{0xFF, 0xD8, 0xFF, 0xDA}, binary.BigEndian, 3)[:30])
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, 20, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		if o := readOrientation(bytes.NewReader(file)); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
