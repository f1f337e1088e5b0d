package datasets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Errors of [Load] that a program may act on, with errors.Is.
var (
	// ErrUnknown is a name that Load does not know.
	ErrUnknown = errors.New("unknown dataset")
	// ErrNotFound is a published dataset that is in no folder and that no mirror
	// delivers.
	ErrNotFound = errors.New("not found")
)

// Names returns the names of the published datasets and of the built-in samples,
// which [Load] knows beside those of own files.
func Names() []string {
	var full, samples []string
	for _, p := range publications {
		full = append(full, p.name)
		if p.sample != "" {
			samples = append(samples, p.sample)
		}
	}
	return slices.Concat(full, samples)
}

// CheckName returns the error of [Load] for a name that is not allowed:
// [ErrUnknown], or a folder's option. It opens no file.
func CheckName(name string) error {
	if strings.HasPrefix(name, folderPrefix) {
		_, err := parseFolder(name)
		return err
	}
	if path, ok := strings.CutPrefix(name, idxPrefix); ok {
		if path == "" {
			return fmt.Errorf("datasets: %q names no file; allowed: %s", name, idxForm)
		}
		return nil
	}
	if !slices.Contains(Names(), name) {
		return unknownName(name)
	}
	return nil
}

// Load returns the training and the test set of a named dataset: one of [Names],
// folder:PATH or idx:PATH. The same name gives the same images in both, so that training runs
// with several seeds compare.
//
// A sample comes from the program itself. A full dataset comes from the first
// of these places that has it: the folder in the environment variable
// EMBEDSPACE_DATA, the user's cache, the network. Files in EMBEDSPACE_DATA
// must have the right form; if their content is not the published one,
// Canonical is false. A download is checked against the published content
// before it enters the cache, goes on where an earlier one stopped, and writes
// its progress, line by line, to progress unless that is nil.
//
// folder:PATH is a folder of own images, with a sub-folder for each class; see
// [LoadFolder]. [Dataset.HoldOut] splits it. Where it holds two such folders, train
// (or training) and test (testing, val, valid, validation; the first of these that
// is there), they are the two parts, and must have the same classes. Options follow
// behind colons, as in folder:photos/pets:size=48x64:seed=2:
//
//   - size=HEIGHTxWIDTH, in pixels, 1 to 8192 each, scales all images to that
//     size, whatever their aspect ratio. By default they keep their own size if
//     all have the same and it is at most 64x64; otherwise they become 32x32, as
//     in CIFAR-10. Time and memory of a training grow with the pixels: photos of
//     224x224 take 49 times as much.
//   - test=SHARE is the share of each class that is for test, between 0 and 1; by
//     default 0.2. Like seed, it is for folders that do not hold two parts.
//   - seed=N draws the test images, by default with the seed 1. It is not that of
//     a training.
//   - skip=true leaves out the files that are no images that can be decoded. By
//     default they are an error, which names them.
//
// The images are gray if all are, else RGB. progress gets their number, classes,
// size and split, what was skipped, and how far reading is. A path that ends in a colon
// and what looks like an option needs a slash behind it.
//
// idx:PATH is a dataset in four IDX files, gzipped or not, whose names end as those of
// MNIST, EMNIST, KMNIST or QMNIST do: train-images-idx3-ubyte, train-labels-idx1-ubyte,
// and t10k or test in place of train. PATH is their folder or, where that has files of
// several datasets, the folder and what their names begin with, as in
// idx:emnist/emnist-letters. The classes are the labels that there are, in their order.
// Images stand as they are in the files: those of EMNIST have rows for columns.
//
// Errors: those of CheckName; [ErrNotFound]; EMBEDSPACE_DATA that is not a
// folder, has only some of the files, those of another dataset, or CIFAR as Python
// pickles it; a file of the wrong form, as a [*FormatError], or that can't be unpacked;
// those of LoadFolder; parts of different classes, or with the same images; a class with
// a single image; a context that ended.
func Load(ctx context.Context, name string, progress io.Writer) (train, test *Dataset, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	if progress == nil {
		progress = io.Discard
	}
	if train, test, err = load(ctx, name, progress); err != nil {
		return nil, nil, err
	}
	if train.Canonical && test.Canonical {
		return train, test, nil // no image is in both parts of a publication
	}
	n := inBoth(train, test)
	switch {
	case n == test.Len():
		return nil, nil, fmt.Errorf("datasets: %s: each of the %d test images is a training image, too; allowed: images that are not trained", name, n)
	case n > 0:
		fmt.Fprintf(progress, "%s: %d of %d test images are training images, too\n", name, n, test.Len())
	}
	return train, test, nil
}

// inBoth returns the number of test images whose pixels are those of a training image.
func inBoth(train, test *Dataset) int {
	trained := make(map[[sha256.Size]byte]bool, train.Len())
	for i := range train.Len() {
		trained[train.digest(i)] = true
	}
	n := 0
	for i := range test.Len() {
		if trained[test.digest(i)] {
			n++
		}
	}
	return n
}

func load(ctx context.Context, name string, progress io.Writer) (train, test *Dataset, err error) {
	if err := CheckName(name); err != nil {
		return nil, nil, err
	}
	if strings.HasPrefix(name, folderPrefix) {
		folder, err := parseFolder(name)
		if err != nil {
			return nil, nil, err
		}
		return folder.load(ctx, progress)
	}
	if path, ok := strings.CutPrefix(name, idxPrefix); ok {
		return loadIDX(path, progress)
	}
	for _, p := range publications {
		if name == p.name {
			cache, err := os.UserCacheDir()
			if err == nil {
				cache = filepath.Join(cache, "embedspace")
			}
			return p.load(ctx, os.Getenv("EMBEDSPACE_DATA"), cache, progress)
		}
		if p.sample != "" && name == p.sample {
			return p.loadSample()
		}
	}
	return nil, nil, unknownName(name)
}

func unknownName(name string) error {
	return fmt.Errorf("datasets: %w %q; allowed: %s, %sPATH, %sPATH", ErrUnknown, name, strings.Join(Names(), ", "), folderPrefix, idxPrefix)
}

// load looks for the publication in the data folder (empty: none), in the
// cache folder (empty: none) and on the network.
func (p *publication) load(ctx context.Context, data, cache string, progress io.Writer) (train, test *Dataset, err error) {
	var places []string
	if data == "" {
		places = append(places, "no data folder: EMBEDSPACE_DATA is not set")
	} else {
		if info, err := os.Stat(data); err != nil || !info.IsDir() {
			return nil, nil, fmt.Errorf("datasets: EMBEDSPACE_DATA is %q; allowed: a folder, or not set", data)
		}
		files, err := p.find(data)
		if err == nil {
			if place := filepath.Dir(files[0]); place != filepath.Join(data, p.folders[0]) {
				fmt.Fprintf(progress, "%s: found in %s\n", p.name, place)
			}
			return p.read(files)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		for _, folder := range p.folders {
			places = append(places, filepath.Join(data, folder)+" (EMBEDSPACE_DATA)")
		}
	}
	if cache == "" {
		places = append(places, "no cache: neither HOME nor XDG_CACHE_HOME is set")
		return nil, nil, p.notFound(places, errors.New("impossible without a cache"))
	}
	files := p.downloadPaths(cache)
	if train, test, err := p.read(files); err == nil && train.Canonical {
		return train, test, nil
	}
	if err := p.download(ctx, cache, progress); err != nil {
		if ctx.Err() != nil {
			return nil, nil, err
		}
		places = append(places, filepath.Dir(files[0])+" (cache)")
		return nil, nil, p.notFound(places, err)
	}
	return p.read(files)
}

// notFound returns the ErrNotFound that names the places that were searched and
// why the download failed.
func (p *publication) notFound(places []string, failure error) error {
	hint := fmt.Sprintf("put %s into the folder %s of a folder that EMBEDSPACE_DATA names", strings.Join(p.files(), ", "), p.folders[0])
	if p.sample != "" {
		hint += fmt.Sprintf(", or use the built-in dataset %s", p.sample)
	}
	indented := func(lines string) string { return "  " + strings.ReplaceAll(lines, "\n", "\n  ") }
	return fmt.Errorf("datasets: %s %w\nsearched:\n%s\ndownload:\n%s\nwithout a network, %s",
		p.name, ErrNotFound, indented(strings.Join(places, "\n")), indented(failure.Error()), hint)
}
