package datasets

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// idxPrefix begins the name of a dataset in IDX files.
	idxPrefix = "idx:"
	idxForm   = "idx:PATH, a folder of IDX files or, of several datasets in it, PATH/NAME"
)

// idxName takes the name of an IDX file apart (see contentName): into that of its
// dataset, which may be empty, the part and what it holds.
var idxName = regexp.MustCompile(`^(.*?)-?(train|t10k|test)-(images-idx3-ubyte|labels-idx1-ubyte|labels-idx2-int)$`)

// An idxFiles is the paths of the four files of a dataset.
type idxFiles struct{ trainImages, trainLabels, testImages, testLabels string }

// file returns the field for a part and what it holds, as idxName has them.
func (f *idxFiles) file(part, holds string) *string {
	isTrain, isImages := part == "train", strings.HasPrefix(holds, "images")
	switch {
	case isTrain && isImages:
		return &f.trainImages
	case isTrain:
		return &f.trainLabels
	case isImages:
		return &f.testImages
	}
	return &f.testLabels
}

// listIDX returns the datasets in a folder by their names.
func listIDX(dir string) (map[string]*idxFiles, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w; allowed: %s", err, idxForm)
	}
	found := map[string]*idxFiles{}
	for _, entry := range entries {
		words := idxName.FindStringSubmatch(contentName(entry.Name()))
		path := filepath.Join(dir, entry.Name())
		if words == nil || !isFile(path) || strings.HasSuffix(path, partSuffix) { // a download that is not complete
			continue
		}
		if found[words[1]] == nil {
			found[words[1]] = &idxFiles{}
		}
		if file := found[words[1]].file(words[2], words[3]); *file == "" { // gzipped files come behind the others
			*file = path
		}
	}
	return found, nil
}

// findIDX returns the files and the name of the dataset that path names.
func findIDX(path string) (*idxFiles, string, error) {
	dir, name := path, ""
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		dir, name = filepath.Split(path)
		dir = filepath.Clean(dir)
	}
	found, err := listIDX(dir)
	if err != nil {
		return nil, "", err
	}
	if len(found) == 1 && name == "" {
		for only := range found {
			name = only
		}
	}
	files := found[name]
	switch {
	case len(found) == 0:
		return nil, "", fmt.Errorf("datasets: %s holds no IDX files; allowed: files with names like %s, %s, %s and %s, gzipped or not",
			dir, idxTrainImages, idxTrainLabels, idxTestImages, idxTestLabels)
	case files == nil:
		return nil, "", fmt.Errorf("datasets: %s names none of the datasets in %s; allowed: %s and one of %s",
			path, dir, dir+string(filepath.Separator), strings.Join(slices.Sorted(maps.Keys(found)), ", "))
	case slices.Contains([]string{files.trainImages, files.trainLabels, files.testImages, files.testLabels}, ""):
		return nil, "", fmt.Errorf("datasets: %s in %s is incomplete; allowed: images and labels, of train and of test or t10k", name, dir)
	}
	if name == "" {
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return nil, "", err
		}
		name = filepath.Base(absolute)
	}
	return files, name, nil
}

// loadIDX loads the dataset in IDX files that path names. Its classes are the labels
// that there are.
func loadIDX(path string, progress io.Writer) (train, test *Dataset, err error) {
	files, name, err := findIDX(path)
	if err != nil {
		return nil, nil, err
	}
	if train, err = readIDXPair(name, files.trainImages, files.trainLabels); err != nil {
		return nil, nil, err
	}
	if test, err = readIDXPair(name, files.testImages, files.testLabels); err != nil {
		return nil, nil, err
	}
	if train.Height != test.Height || train.Width != test.Width {
		return nil, nil, &FormatError{File: files.testImages, Offset: 8, Field: "height x width",
			Got: fmt.Sprintf("%d x %d", test.Height, test.Width), Allowed: fmt.Sprintf("%d x %d, as the training images", train.Height, train.Width)}
	}
	labels := slices.Concat(train.Labels, test.Labels)
	slices.Sort(labels)
	labels = slices.Compact(labels)
	for _, d := range []*Dataset{train, test} {
		for _, label := range labels {
			d.ClassNames = append(d.ClassNames, strconv.Itoa(int(label)))
		}
		for i, label := range d.Labels {
			class, _ := slices.BinarySearch(labels, label)
			d.Labels[i] = int32(class)
		}
		d.Checksum = d.ComputeChecksum()
	}
	fmt.Fprintf(progress, "%s: %d images to train and %d to test, %d classes (labels %d to %d)\n",
		name, train.Len(), test.Len(), len(labels), labels[0], labels[len(labels)-1])
	return train, test, nil
}

// readIDXPair reads a file of images and one of labels, which are not yet classes.
func readIDXPair(name, imagesFile, labelsFile string) (*Dataset, error) {
	d := &Dataset{Name: name, Channels: 1}
	err := unpacked(imagesFile, func(r io.Reader) (err error) {
		d.Images, d.Height, d.Width, err = DecodeIDXImages(r)
		return inFile(imagesFile, err)
	})
	if err != nil {
		return nil, err
	}
	decode := DecodeIDXLabels
	if strings.HasSuffix(contentName(labelsFile), "-int") {
		decode = decodeIDXTable
	}
	err = unpacked(labelsFile, func(r io.Reader) (err error) {
		d.Labels, err = decode(r)
		return inFile(labelsFile, err)
	})
	if err != nil {
		return nil, err
	}
	if n := len(d.Images) / d.imageSize(); n != d.Len() {
		return nil, wrongLabels(labelsFile, d.Len(), imagesFile, n)
	}
	return d, nil
}
