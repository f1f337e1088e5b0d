package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif"  // a format of LoadFolder
	_ "image/jpeg" // a format of LoadFolder
	_ "image/png"  // a format of LoadFolder
	"io"
	"mime"
	"net/http"
	"os"
	"slices"

	_ "golang.org/x/image/bmp" // a format of LoadFolder
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff" // a format of LoadFolder
	_ "golang.org/x/image/webp" // a format of LoadFolder
)

// imageFormats are the formats of LoadFolder.
const imageFormats = "PNG, JPEG, GIF, BMP, TIFF, WebP"

// A notDecoded is the error of a file that has no image that can be decoded.
type notDecoded struct {
	file string
	why  error
}

func (e *notDecoded) Error() string { return fmt.Sprintf("datasets: %s: %v", e.file, e.why) }

// An imageHeader is what the begin of an image file says.
type imageHeader struct {
	stored      image.Rectangle // of the pixels as they are stored
	orientation int             // see readOrientation
}

// size returns the height and width of the image that is shown.
func (h imageHeader) size() (height, width int) {
	if h.orientation >= 5 {
		return h.stored.Dx(), h.stored.Dy()
	}
	return h.stored.Dy(), h.stored.Dx()
}

// readHeader reads the header of an image file.
func readHeader(file io.ReadSeeker) (imageHeader, error) {
	config, _, err := image.DecodeConfig(file)
	if errors.Is(err, image.ErrFormat) {
		return imageHeader{}, errors.New(contentOf(file))
	}
	if err != nil {
		return imageHeader{}, err
	}
	if !validSide(config.Height) || !validSide(config.Width) {
		return imageHeader{}, fmt.Errorf("%d x %d pixels (height x width); allowed: 1 to %d each", config.Height, config.Width, maxSide)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return imageHeader{}, err
	}
	return imageHeader{image.Rect(0, 0, config.Width, config.Height), readOrientation(file)}, nil
}

// contentOf says what a file is that is no image.
func contentOf(file io.ReadSeeker) string {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err.Error()
	}
	head := make([]byte, 512) // as much as http.DetectContentType considers
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err.Error()
	}
	head = head[:n]
	switch {
	case n == 0:
		return "an empty file"
	case bytes.HasPrefix(head, []byte("version https://git-lfs.github.com/")):
		return "a Git LFS pointer: git lfs pull fetches the image"
	case n >= 12 && string(head[4:8]) == "ftyp" && slices.Contains([]string{"heic", "heix", "heif", "hevc", "mif1", "msf1"}, string(head[8:12])):
		return "HEIC: convert it to JPEG or PNG"
	case n >= 12 && string(head[4:8]) == "ftyp" && string(head[8:11]) == "avi":
		return "AVIF: convert it to JPEG or PNG"
	}
	kind, _, _ := mime.ParseMediaType(http.DetectContentType(head))
	switch kind {
	case "text/html":
		return "an HTML page"
	case "text/plain":
		return "a text"
	case "application/octet-stream":
		return "an unknown format"
	}
	return kind
}

// sizeOf returns the height and width of the image in a file, from its header.
func sizeOf(path string) (height, width int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	header, err := readHeader(file)
	if err != nil {
		return 0, 0, &notDecoded{path, err}
	}
	height, width = header.size()
	return height, width, nil
}

// An imageReader decodes image files to pixels of one shape.
type imageReader struct {
	height, width, channels int
	resize                  bool
}

// size is the number of bytes of one image.
func (r imageReader) size() int { return r.height * r.width * r.channels }

// read sets pixels, [height, width, channels], to the image in a file.
func (r imageReader) read(path string, pixels []byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	header, err := readHeader(bytes.NewReader(content))
	if err != nil {
		return &notDecoded{path, err}
	}
	if height, width := header.size(); !r.resize && (height != r.height || width != r.width) {
		return fmt.Errorf("datasets: %s has %d x %d pixels (height x width); allowed: %d x %d, or another size with FolderOptions.Resize", path, height, width, r.height, r.width)
	}
	decoded, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return &notDecoded{path, err}
	}
	r.render(decoded, header, pixels)
	return nil
}

// render sets pixels to an image of any size. The frame of a GIF may be a part of its
// image, the rest of which is transparent.
func (r imageReader) render(decoded image.Image, header imageHeader, pixels []byte) {
	canvas := image.NewRGBA(image.Rect(0, 0, r.width, r.height))
	if header.orientation >= 5 {
		canvas = image.NewRGBA(image.Rect(0, 0, r.height, r.width))
	}
	if decoded.Bounds() != header.stored {
		whole := image.NewRGBA(header.stored)
		draw.Draw(whole, decoded.Bounds(), decoded, decoded.Bounds().Min, draw.Src)
		decoded = whole
	}
	if header.stored == canvas.Rect {
		draw.Draw(canvas, canvas.Rect, decoded, image.Point{}, draw.Src)
	} else {
		draw.CatmullRom.Scale(canvas, canvas.Rect, decoded, header.stored, draw.Src, nil)
	}
	for y := range r.height {
		for x := range r.width {
			c := canvas.RGBAAt(stored(x, y, canvas.Rect.Dx(), canvas.Rect.Dy(), header.orientation))
			p := y*r.width + x
			if r.channels == 1 {
				c.A = 255
				pixels[p] = color.GrayModel.Convert(c).(color.Gray).Y
			} else {
				pixels[3*p], pixels[3*p+1], pixels[3*p+2] = c.R, c.G, c.B
			}
		}
	}
}
