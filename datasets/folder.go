package datasets

import (
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // a format of LoadFolder
	_ "image/png"  // a format of LoadFolder
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/image/draw"
)

// FolderOptions says what images [LoadFolder] makes.
type FolderOptions struct {
	// Height and Width of every image in pixels, 1 to 8192; both zero: those of
	// the first image.
	Height, Width int
	// Channels is 1 (gray) or 3 (red, green, blue). Colours are converted to
	// gray by their luma.
	Channels int
	// Resize scales images of another size, without regard to their aspect
	// ratio; otherwise they are refused.
	Resize bool
}

// LoadFolder reads a dataset from a folder of class folders:
//
//	dir/cat/1.png
//	dir/cat/2.jpg
//	dir/dog/...
//
// Each sub-folder of dir is a class with its name, in alphabetical order; each
// file in it must be a PNG or JPEG image (.png, .jpg, .jpeg). Names that begin
// with a dot and files directly in dir are skipped. Pixels are reduced to 8
// bits; what is transparent becomes black; an EXIF orientation isn't applied.
// Scaling uses the Catmull-Rom kernel, which averages where it shrinks.
//
// The dataset's name is that of the folder. An image of another size without
// Resize, a file of another kind, a broken image and a class without an image
// are errors, which name the file or folder.
func LoadFolder(dir string, opts FolderOptions) (*Dataset, error) {
	if opts.Channels != 1 && opts.Channels != 3 {
		return nil, fmt.Errorf("datasets: FolderOptions.Channels is %d; allowed: 1 (gray) or 3 (red, green, blue)", opts.Channels)
	}
	given := opts.Height != 0 || opts.Width != 0
	if given && !(validSide(opts.Height) && validSide(opts.Width)) {
		return nil, fmt.Errorf("datasets: FolderOptions.Height and Width are %d and %d; allowed: both 1 to %d, or both 0", opts.Height, opts.Width, maxSide)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d := &Dataset{Name: filepath.Base(absolute), Height: opts.Height, Width: opts.Width, Channels: opts.Channels}
	entries, err := visibleEntries(dir)
	if err != nil {
		return nil, err
	}
	for _, class := range entries {
		folder := filepath.Join(dir, class)
		if info, err := os.Stat(folder); err != nil {
			return nil, err
		} else if !info.IsDir() {
			continue
		}
		files, err := visibleEntries(folder)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("datasets: %s holds no image; allowed: at least one for each class", folder)
		}
		for _, file := range files {
			if err := d.appendFile(filepath.Join(folder, file), opts.Resize); err != nil {
				return nil, err
			}
			d.Labels = append(d.Labels, int32(len(d.ClassNames)))
		}
		d.ClassNames = append(d.ClassNames, class)
	}
	if len(d.ClassNames) == 0 {
		return nil, fmt.Errorf("datasets: %s holds no folder; allowed: one for each class", dir)
	}
	d.Checksum = d.ComputeChecksum()
	return d, nil
}

// visibleEntries returns the sorted names in a folder that don't begin with a
// dot.
func visibleEntries(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// appendFile decodes an image file and appends its pixels. The first image
// gives d the size that it doesn't have yet.
func (d *Dataset) appendFile(path string, resize bool) error {
	if !slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(path))) {
		return fmt.Errorf("datasets: %s is not a PNG or JPEG file (.png, .jpg, .jpeg)", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err != nil {
		return inFile(path, err)
	}
	size := fmt.Sprintf("%d x %d", config.Height, config.Width)
	if !validSide(config.Height) || !validSide(config.Width) {
		return &FormatError{File: path, Field: "height x width", Got: size, Allowed: fmt.Sprintf("1 to %d pixels each", maxSide)}
	}
	if d.Height == 0 {
		d.Height, d.Width = config.Height, config.Width
	}
	if !resize && (config.Height != d.Height || config.Width != d.Width) {
		return &FormatError{File: path, Field: "height x width", Got: size, Allowed: fmt.Sprintf("%d x %d (FolderOptions.Resize scales)", d.Height, d.Width)}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	decoded, _, err := image.Decode(f)
	if err != nil {
		return inFile(path, err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, d.Width, d.Height))
	if decoded.Bounds().Size() == canvas.Rect.Size() {
		draw.Copy(canvas, image.Point{}, decoded, decoded.Bounds(), draw.Src, nil)
	} else {
		draw.CatmullRom.Scale(canvas, canvas.Rect, decoded, decoded.Bounds(), draw.Src, nil)
	}
	for p := 0; p < len(canvas.Pix); p += 4 {
		rgb := canvas.Pix[p : p+3]
		if d.Channels == 1 {
			gray := color.GrayModel.Convert(color.RGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 255}).(color.Gray)
			d.Images = append(d.Images, gray.Y)
		} else {
			d.Images = append(d.Images, rgb...)
		}
	}
	return nil
}
