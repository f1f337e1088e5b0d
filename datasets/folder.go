package datasets

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
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
	// Skip leaves out the files that are no image, and the images that can't be
	// decoded; otherwise they are an error.
	Skip bool
}

// LoadFolder reads a dataset from a folder of class folders:
//
//	dir/cat/1.png
//	dir/cat/2.jpg
//	dir/dog/...
//
// Each sub-folder of dir is a class with its name, in alphabetical order; each
// file in it, and in the folders in it, must be an image: PNG, JPEG, GIF (its first
// frame), BMP, TIFF or WebP, by its content, whatever its name. Skipped are files
// directly in dir and what systems and archives leave, such as Thumbs.db, __MACOSX and
// names that begin with a dot. Pixels are reduced to 8 bits; what is transparent becomes black. Images
// stand as the EXIF orientation of a JPEG file says: phones store the pixels as the
// sensor lies. Scaling uses the Catmull-Rom kernel, which averages where it shrinks.
//
// Images that take more than 1 GiB are not held in memory but read when they are
// needed, except for the first 64 MiB of them.
//
// The dataset's name is that of the folder. [Dataset.HoldOut] splits it into
// training and test images; [Load] does both with a name, folder:PATH.
//
// Errors, which name the file or folder: dir is no folder, has no class or is one that
// Load splits by its folders; a class without an image; files that are no image that can
// be decoded, all of them at once, without Skip; an image of another size without Resize;
// options that are not allowed.
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
	if p := folder.partition; p != nil {
		return nil, fmt.Errorf("datasets: %s holds training and test images, in %s and %s; allowed: one of the two, or Load with the name %s%s", dir, p.train, p.test, folderPrefix, dir)
	}
	return folder.read(context.Background(), opts, io.Discard)
}

// An imageFolder is the list of the images in a folder of class folders.
type imageFolder struct {
	name       string
	classNames []string
	files      []string   // paths, class after class
	labels     []int32    // of the files
	partition  *partition // nil: the folder has one part
	leftovers  []string   // names of files and folders that are skipped
}

// A partition says which folders of a folder hold its training and its test images.
type partition struct {
	train, test string   // names of folders
	others      []string // names of folders beside them
	trainFiles  int      // number of files to train; those to test come behind them
}

// Names of the folders of training and test images, in lower case; of several the
// first one counts.
var (
	trainFolders = []string{"train", "training"}
	testFolders  = []string{"test", "testing", "val", "valid", "validation"}
)

// partitionOf returns the partition into folders of these names, nil if they are
// classes.
func partitionOf(folders []string) *partition {
	find := func(names []string) string {
		for _, name := range names {
			if i := slices.IndexFunc(folders, func(folder string) bool { return strings.EqualFold(folder, name) }); i >= 0 {
				return folders[i]
			}
		}
		return ""
	}
	p := &partition{train: find(trainFolders), test: find(testFolders)}
	if p.train == "" || p.test == "" {
		return nil
	}
	for _, folder := range folders {
		if folder != p.train && folder != p.test {
			p.others = append(p.others, folder)
		}
	}
	return p
}

// listFolder lists the images of a folder without opening them.
func listFolder(dir string) (*imageFolder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &imageFolder{name: filepath.Base(absolute)}
	folders, err := f.folders(dir)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w; allowed: a folder with a folder of images for each class", err)
	}
	f.partition = partitionOf(folders)
	if f.partition == nil {
		if err := f.listClasses(dir, folders); err != nil {
			return nil, err
		}
		return f, f.checkClasses()
	}
	for _, part := range []string{f.partition.train, f.partition.test} {
		f.partition.trainFiles = len(f.files)
		path := filepath.Join(dir, part)
		if folders, err = f.folders(path); err != nil {
			return nil, err
		}
		if err := f.listClasses(path, folders); err != nil {
			return nil, err
		}
	}
	return f, f.checkClasses()
}

// listClasses adds the images in the class folders of a folder, which must be the same
// in each part.
func (f *imageFolder) listClasses(dir string, classes []string) error {
	if len(classes) == 0 {
		return fmt.Errorf("datasets: %s holds no folder; allowed: one for each class", dir)
	}
	if f.classNames != nil && !slices.Equal(classes, f.classNames) {
		return fmt.Errorf("datasets: %s has the classes %q; allowed: those of the training images, %q", dir, classes, f.classNames)
	}
	f.classNames = classes
	begin := len(f.files)
	for class, name := range classes {
		if err := f.listClass(int32(class), filepath.Join(dir, name), nil); err != nil {
			return err
		}
	}
	class := filepath.Join(dir, classes[0])
	if added := f.files[begin:]; len(classes) == 1 && len(added) > 0 && !slices.ContainsFunc(added, func(file string) bool { return filepath.Dir(file) == class }) {
		return fmt.Errorf("datasets: %s holds one folder, whose images are in folders again; allowed: one for each class, as it may be in %s", dir, class)
	}
	return nil
}

// listClass adds the files in a folder, and in the folders in it, which is in those
// above.
func (f *imageFolder) listClass(class int32, dir string, above []os.FileInfo) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(folder os.FileInfo) bool { return os.SameFile(folder, info) }) {
		return fmt.Errorf("datasets: %s links to a folder that it is in; allowed: other links", dir)
	}
	entries, err := f.entries(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if isFolder, err := isFolder(path, entry); err != nil {
			return err
		} else if isFolder {
			if err := f.listClass(class, path, append(above, info)); err != nil {
				return err
			}
			continue
		}
		f.files = append(f.files, path)
		f.labels = append(f.labels, class)
	}
	return nil
}

// folders returns the names of the folders in a folder, in their order.
func (f *imageFolder) folders(dir string) (names []string, err error) {
	entries, err := f.entries(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		isFolder, err := isFolder(filepath.Join(dir, entry.Name()), entry)
		if err != nil {
			return nil, err
		}
		if isFolder {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// isFolder says whether an entry is a folder, or a link to one.
func isFolder(path string, entry os.DirEntry) (bool, error) {
	if entry.Type()&os.ModeSymlink == 0 {
		return entry.IsDir(), nil
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir(), err
}

// leftovers are names, in lower case, of what systems and archives leave in folders,
// beside those that begin with a dot.
var leftovers = []string{"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "lost+found", "@eadir", "$recycle.bin", "system volume information"}

// entries returns the entries of a folder in the order of their names, without
// leftovers, which it notes.
func (f *imageFolder) entries(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	return slices.DeleteFunc(entries, func(entry os.DirEntry) bool {
		isLeftover := strings.HasPrefix(entry.Name(), ".") || slices.Contains(leftovers, strings.ToLower(entry.Name()))
		if isLeftover {
			f.leftovers = append(f.leftovers, entry.Name())
		}
		return isLeftover
	}), err
}

// checkClasses returns an error for the first class without an image in a part.
func (f *imageFolder) checkClasses() error {
	parts := [][]int32{f.labels}
	if p := f.partition; p != nil {
		parts = [][]int32{f.labels[:p.trainFiles], f.labels[p.trainFiles:]}
	}
	for _, labels := range parts {
		images := make([]int, len(f.classNames))
		for _, label := range labels {
			images[label]++
		}
		if class := slices.Index(images, 0); class >= 0 {
			return fmt.Errorf("datasets: %s: class %q holds no image; allowed: at least one for each class", f.name, f.classNames[class])
		}
	}
	return nil
}

// sayLeftovers writes a line about the leftovers, if there are some.
func (f *imageFolder) sayLeftovers(progress io.Writer) {
	if len(f.leftovers) > 0 {
		fmt.Fprintf(progress, "%s: skipped %d files or folders that systems and archives leave, such as %s\n", f.name, len(f.leftovers), f.leftovers[0])
	}
}

// forEach calls do for each file, for as many at once as the program has processors.
// doing begins the lines of progress. ctx ends it.
func (f *imageFolder) forEach(ctx context.Context, doing string, progress io.Writer, do func(i int)) error {
	var group sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	printed := time.Now()
	for i := 0; i < len(f.files) && ctx.Err() == nil; i++ {
		if time.Since(printed) >= readInterval {
			printed = time.Now()
			fmt.Fprintf(progress, "%s: %s%d of %d images\n", f.name, doing, i, len(f.files))
		}
		next <- i
	}
	close(next)
	group.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("datasets: %s: %w", f.name, err)
	}
	return nil
}

// read decodes the images. Those that have room in memory stay there, see memoryLimit.
// With Skip, files that are not decoded leave f.
func (f *imageFolder) read(ctx context.Context, opts FolderOptions, progress io.Writer) (*Dataset, error) {
	reader := imageReader{opts.Height, opts.Width, cmp.Or(opts.Channels, 3), opts.Resize}
	if reader.height == 0 {
		var err error
		if reader.height, reader.width, err = f.firstSize(); err != nil {
			return nil, err
		}
	}
	size := reader.size()
	fits := len(f.files)*size <= memoryLimit
	kept := len(f.files)
	if !fits {
		kept = min(kept, cacheLimit/size)
	}
	images := make([]byte, kept*size)
	digests := make([][sha256.Size]byte, len(f.files))
	failures := make([]error, len(f.files))
	var coloured atomic.Bool
	err := f.forEach(ctx, "", progress, func(i int) {
		pixels := make([]byte, size)
		if i < kept {
			pixels = images[i*size:][:size]
		}
		failures[i] = reader.read(f.files[i], pixels)
		if reader.channels == 3 && !isGray(pixels) {
			coloured.Store(true)
		}
		if !fits {
			digests[i] = digestOf(pixels, reader.channels)
		}
	})
	if err != nil {
		return nil, err
	}
	good, err := f.decoded(failures, opts.Skip, progress)
	if err != nil {
		return nil, err
	}
	kept, _ = slices.BinarySearch(good, kept)
	for k, i := range good {
		f.files[k], f.labels[k], digests[k] = f.files[i], f.labels[i], digests[i]
		if k < kept {
			copy(images[k*size:], images[i*size:][:size])
		}
	}
	f.files, f.labels, digests, images = f.files[:len(good)], f.labels[:len(good)], digests[:len(good)], images[:kept*size]
	if f.partition != nil {
		f.partition.trainFiles, _ = slices.BinarySearch(good, f.partition.trainFiles)
	}
	if err := f.checkClasses(); err != nil {
		return nil, err
	}
	if opts.Channels == 0 && !coloured.Load() {
		images, reader.channels = grayOf(images), 1
	}
	d := &Dataset{
		Name:   f.name,
		Labels: f.labels,
		Height: reader.height, Width: reader.width, Channels: reader.channels,
		ClassNames: f.classNames,
	}
	if fits {
		d.Images = images
	} else {
		d.files = &imageFiles{reader, f.files, digests, images}
		d.indices = sequence(0, len(good))
	}
	d.Checksum = d.ComputeChecksum()
	return d, nil
}

// firstSize returns the height and width of the first image.
func (f *imageFolder) firstSize() (height, width int, err error) {
	for _, file := range f.files {
		height, width, err = sizeOf(file)
		if _, ok := errors.AsType[*notDecoded](err); !ok {
			break
		}
	}
	return height, width, err
}

// namedFailures is the number of files that are named where they are not decoded.
const namedFailures = 10

// decoded returns the indices of the files that were decoded. All others are named in
// the error or, with skip, in lines of progress.
func (f *imageFolder) decoded(failures []error, skip bool, progress io.Writer) (good []int, err error) {
	count, names := 0, ""
	for i, failure := range failures {
		if failure == nil {
			good = append(good, i)
			continue
		}
		e, ok := errors.AsType[*notDecoded](failure)
		if !ok {
			return nil, failure
		}
		if count++; count <= namedFailures {
			names += fmt.Sprintf("\n  %s: %v", e.file, e.why)
		}
	}
	if count > namedFailures {
		names += fmt.Sprintf("\n  and %d more", count-namedFailures)
	}
	switch {
	case count == 0:
		return good, nil
	case skip:
		fmt.Fprintf(progress, "%s: skipped %d of %d files, no images that can be decoded:%s\n", f.name, count, len(f.files), names)
		return good, nil
	}
	return nil, fmt.Errorf("datasets: %s: %d of %d files are no images that can be decoded; allowed: %s, or FolderOptions.Skip, on the command line -skip, which leaves them out:%s",
		f.name, count, len(f.files), imageFormats, names)
}
