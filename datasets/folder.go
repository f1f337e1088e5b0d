package datasets

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // a format of LoadFolder
	_ "image/png"  // a format of LoadFolder
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/draw"
)

// readInterval is the time between two lines of progress. Tests make it shorter.
var readInterval = 10 * time.Second

// FolderOptions says what images [LoadFolder] makes. The zero value keeps size
// and colour.
type FolderOptions struct {
	// Height and Width of every image in pixels, 1 to 8192; both zero: those of
	// the first image.
	Height, Width int
	// Channels is 1 (gray) or 3 (red, green, blue); zero: 1 if every pixel of every
	// image is gray, else 3. With 1, colours become gray by their luma.
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
// bits; what is transparent becomes black; an EXIF orientation is not applied.
// Scaling uses the Catmull-Rom kernel, which averages where it shrinks.
//
// The dataset's name is that of the folder. [Dataset.HoldOut] splits it into
// training and test images; [Load] does both with a name, folder:PATH.
//
// Errors, which name the file or folder: dir is no folder or has no class; a
// class without an image; a file of another kind; a broken image; an image of
// another size without Resize; options that are not allowed.
func LoadFolder(dir string, opts FolderOptions) (*Dataset, error) {
	if !slices.Contains([]int{0, 1, 3}, opts.Channels) {
		return nil, fmt.Errorf("datasets: FolderOptions.Channels is %d; allowed: 1 (gray), 3 (red, green, blue), or 0", opts.Channels)
	}
	isSized := opts.Height != 0 || opts.Width != 0
	if isSized && !(validSide(opts.Height) && validSide(opts.Width)) {
		return nil, fmt.Errorf("datasets: FolderOptions.Height and Width are %d and %d; allowed: both 1 to %d, or both 0", opts.Height, opts.Width, maxSide)
	}
	folder, err := listFolder(dir)
	if err != nil {
		return nil, err
	}
	return folder.read(context.Background(), opts, io.Discard)
}

// An imageFolder is the list of the images in a folder of class folders.
type imageFolder struct {
	name       string
	classNames []string
	files      []string // paths, class after class
	labels     []int32  // of the files
}

// listFolder lists the images of a folder without opening them.
func listFolder(dir string) (*imageFolder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	folder := &imageFolder{name: filepath.Base(absolute)}
	entries, err := visibleEntries(dir)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w; allowed: a folder with a folder of images for each class", err)
	}
	for _, class := range entries {
		classFolder := filepath.Join(dir, class)
		if info, err := os.Stat(classFolder); err != nil {
			return nil, err
		} else if !info.IsDir() {
			continue
		}
		files, err := visibleEntries(classFolder)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("datasets: %s holds no image; allowed: at least one for each class", classFolder)
		}
		for _, file := range files {
			folder.files = append(folder.files, filepath.Join(classFolder, file))
			folder.labels = append(folder.labels, int32(len(folder.classNames)))
		}
		folder.classNames = append(folder.classNames, class)
	}
	if len(folder.classNames) == 0 {
		return nil, fmt.Errorf("datasets: %s holds no folder; allowed: one for each class", dir)
	}
	return folder, nil
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

// read decodes the images, as many at once as the program has processors.
func (f *imageFolder) read(ctx context.Context, opts FolderOptions, progress io.Writer) (*Dataset, error) {
	d := &Dataset{
		Name:   f.name,
		Labels: f.labels,
		Height: opts.Height, Width: opts.Width, Channels: cmp.Or(opts.Channels, 3),
		ClassNames: f.classNames,
	}
	if d.Height == 0 {
		var err error
		if d.Height, d.Width, err = sizeOf(f.files[0]); err != nil {
			return nil, err
		}
	}
	d.Images = make([]byte, len(f.files)*d.imageSize())

	going, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	next := make(chan int)
	failures := make([]error, len(f.files))
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				if failures[i] = d.decode(i, f.files[i], opts.Resize); failures[i] != nil {
					stop()
				}
			}
		})
	}
	printed := time.Now()
	for i := 0; i < len(f.files) && going.Err() == nil; i++ {
		if time.Since(printed) >= readInterval {
			printed = time.Now()
			fmt.Fprintf(progress, "%s: %d of %d images\n", f.name, i, len(f.files))
		}
		next <- i
	}
	close(next)
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", f.name, err)
	}
	if err := cmp.Or(failures...); err != nil { // the first, as files are decoded in their order
		return nil, err
	}

	if opts.Channels == 0 && isGray(d.Images) {
		gray := make([]byte, len(d.Images)/3)
		for p := range gray {
			gray[p] = d.Images[3*p]
		}
		d.Images, d.Channels = gray, 1
	}
	d.Checksum = d.ComputeChecksum()
	return d, nil
}

// isGray says whether all pixels, of three bytes each, are gray.
func isGray(rgb []byte) bool {
	for p := 0; p < len(rgb); p += 3 {
		if rgb[p] != rgb[p+1] || rgb[p] != rgb[p+2] {
			return false
		}
	}
	return true
}

// sizeOf returns the height and width of the image in a file, from its header.
func sizeOf(path string) (height, width int, err error) {
	if !slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(path))) {
		return 0, 0, fmt.Errorf("datasets: %s is of another kind; allowed: PNG or JPEG files (.png, .jpg, .jpeg)", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err != nil {
		return 0, 0, inFile(path, err)
	}
	if !validSide(config.Height) || !validSide(config.Width) {
		return 0, 0, fmt.Errorf("datasets: %s has %d x %d pixels (height x width); allowed: 1 to %d each", path, config.Height, config.Width, maxSide)
	}
	return config.Height, config.Width, nil
}

// decode sets image i of d to that in a file.
func (d *Dataset) decode(i int, path string, resize bool) error {
	height, width, err := sizeOf(path)
	if err != nil {
		return err
	}
	if !resize && (height != d.Height || width != d.Width) {
		return fmt.Errorf("datasets: %s has %d x %d pixels (height x width); allowed: %d x %d, or another size with FolderOptions.Resize", path, height, width, d.Height, d.Width)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
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
	pixels := d.At(i)
	for p := range d.Height * d.Width {
		rgb := canvas.Pix[4*p : 4*p+3]
		if d.Channels == 1 {
			pixels[p] = color.GrayModel.Convert(color.RGBA{R: rgb[0], G: rgb[1], B: rgb[2], A: 255}).(color.Gray).Y
		} else {
			copy(pixels[3*p:], rgb)
		}
	}
	return nil
}
