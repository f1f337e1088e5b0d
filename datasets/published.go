package datasets

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A publication is a dataset as its authors published it: files of known
// content, which several places offer.
type publication struct {
	name                    string
	height, width, channels int
	classNames              []string

	// Content files in the order of their images, and the hex digest of the
	// uncompressed content of each.
	train, test []string
	newHash     func() hash.Hash
	digests     map[string]string

	// decode reads the content file of this name.
	decode func(name string, r io.Reader) (content, error)

	// folder is the path of the content files below a data folder. downloads are
	// the paths of the files that mirrors offer; the address of such a file is one
	// of mirrors followed by the last element of its path.
	folder    string
	downloads []string
	mirrors   []string

	// sample names the built-in sample, if there is one.
	sample string
}

// content is what one file holds: images, labels or both.
type content struct {
	images []byte
	labels []int32
}

const (
	idxTrainImages = "train-images-idx3-ubyte"
	idxTrainLabels = "train-labels-idx1-ubyte"
	idxTestImages  = "t10k-images-idx3-ubyte"
	idxTestLabels  = "t10k-labels-idx1-ubyte"
)

var (
	mnistClasses   = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	fashionClasses = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
)

// The publications. The IDX files have SHA-256 digests. For the files of the
// CIFAR-10 binary version the SHA-1 digests are those of MXNet's Gluon.
//
// MNIST's own home (yann.lecun.com/exdb/mnist) no longer serves its files; the
// first mirror is PyTorch's, the second the Common Visual Data Foundation's.
var publications = []*publication{
	idxPublication("mnist", mnistClasses, map[string]string{
		idxTrainImages: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
		idxTrainLabels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
		idxTestImages:  "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
		idxTestLabels:  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
	},
		"https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://storage.googleapis.com/cvdf-datasets/mnist/",
	),
	idxPublication("fashion-mnist", fashionClasses, map[string]string{
		idxTrainImages: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
		idxTrainLabels: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
		idxTestImages:  "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
		idxTestLabels:  "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
	},
		"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
	),
	{
		name:   "cifar-10",
		height: cifarSide, width: cifarSide, channels: 3,
		classNames: []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
		train:      []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:       []string{"test_batch.bin"},
		newHash:    sha1.New,
		digests: map[string]string{
			"data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
			"data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
			"data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
			"data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
			"data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
			"test_batch.bin":   "67eb016db431130d61cd03c7ad570b013799c88c",
		},
		decode:    decodeCIFAR10Batch(10000),
		folder:    "cifar-10-batches-bin",
		downloads: []string{"cifar-10-binary.tar.gz"},
		mirrors: []string{
			"https://www.cs.toronto.edu/~kriz/",
			"https://cave.cs.toronto.edu/kriz/",
			"https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/cifar10/",
		},
	},
}

// idxPublication is a publication in the form of MNIST.
func idxPublication(name string, classNames []string, digests map[string]string, mirrors ...string) *publication {
	p := &publication{
		name:   name,
		height: 28, width: 28, channels: 1,
		classNames: classNames,
		train:      []string{idxTrainImages, idxTrainLabels},
		test:       []string{idxTestImages, idxTestLabels},
		newHash:    sha256.New,
		digests:    digests,
		decode:     decodeMNISTFile,
		folder:     name,
		mirrors:    mirrors,
		sample:     name + "-sample",
	}
	for _, file := range p.files() {
		p.downloads = append(p.downloads, path.Join(name, file+".gz"))
	}
	return p
}

// files returns the names of all content files.
func (p *publication) files() []string { return slices.Concat(p.train, p.test) }

// decodeMNISTFile reads images or labels, depending on the name, and checks what
// the IDX format leaves open: images of 28x28 and ten classes.
func decodeMNISTFile(name string, r io.Reader) (content, error) {
	if name == idxTrainImages || name == idxTestImages {
		images, height, width, err := DecodeIDXImages(r)
		if err == nil && (height != 28 || width != 28) {
			err = &FormatError{Offset: 8, Field: "height x width", Got: fmt.Sprintf("%d x %d", height, width), Allowed: "28 x 28"}
		}
		return content{images: images}, err
	}
	labels, err := DecodeIDXLabels(r)
	if err != nil {
		return content{}, err
	}
	if i := slices.IndexFunc(labels, func(l int32) bool { return l > 9 }); i >= 0 {
		return content{}, &FormatError{Offset: int64(8 + i), Field: fmt.Sprintf("label %d", i), Got: fmt.Sprint(labels[i]), Allowed: "0 to 9"}
	}
	return content{labels: labels}, nil
}

// decodeCIFAR10Batch decodes a batch of this many records. Without the number
// a file that was cut between two records would pass.
func decodeCIFAR10Batch(records int) func(name string, r io.Reader) (content, error) {
	return func(_ string, r io.Reader) (content, error) {
		raw, err := readContent(r, int64(records)*cifarRecord, 0, "records")
		if err != nil {
			return content{}, err
		}
		images, labels, err := parseCIFAR10(raw)
		return content{images: images, labels: labels}, err
	}
}

// find returns the files that hold the publication below the data folder
// root. The error is fs.ErrNotExist if all are missing, and names the missing
// ones if some are.
func (p *publication) find(root string) ([]string, error) {
	var found, missing []string
	for _, file := range p.files() {
		plain := filepath.Join(root, p.folder, file)
		switch {
		case isFile(plain):
			found = append(found, plain)
		case isFile(plain + ".gz"):
			found = append(found, plain+".gz")
		default:
			missing = append(missing, file)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	if archives := p.downloadPaths(root); len(found) == 0 && !slices.ContainsFunc(archives, func(a string) bool { return !isFile(a) }) {
		return archives, nil
	}
	if len(found) == 0 {
		return nil, fs.ErrNotExist
	}
	return nil, fmt.Errorf("datasets: %s is incomplete: %s missing", filepath.Join(root, p.folder), strings.Join(missing, ", "))
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// downloadPaths returns where the downloads lie below the data folder root.
func (p *publication) downloadPaths(root string) []string {
	var paths []string
	for _, d := range p.downloads {
		paths = append(paths, filepath.Join(root, filepath.FromSlash(d)))
	}
	return paths
}

// contentName is the name of the content in a file, gzipped or not, partly
// downloaded or not.
func contentName(file string) string {
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), partSuffix), ".gz")
}

func isArchive(file string) bool { return strings.HasSuffix(contentName(file), ".tar") }

// contents calls visit for each content file in file: for the members of a
// tar.gz archive, else for file itself, unpacked if it is gzipped. Members that
// are not part of the publication are skipped.
func (p *publication) contents(file string, visit func(name string, r io.Reader) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	buffered := bufio.NewReaderSize(f, 1<<16)
	var r io.Reader = buffered
	if magic, _ := buffered.Peek(2); string(magic) == "\x1f\x8b" {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return inFile(file, err)
		}
		r = unzipped
	}
	if !isArchive(file) {
		return inFile(file, visit(contentName(file), r))
	}
	for archive := tar.NewReader(r); ; {
		member, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return inFile(file, err)
		}
		if name := path.Base(member.Name); p.digests[name] != "" {
			if err := visit(name, archive); err != nil {
				return inFile(file+"/"+member.Name, err)
			}
		}
	}
}

// read decodes the publication from files, in parallel. Canonical says whether
// all digests match.
func (p *publication) read(files []string) (train, test *Dataset, err error) {
	var mu sync.Mutex
	parts := map[string]content{}
	origin := map[string]string{} // files of the parts
	canonical := true
	var group sync.WaitGroup
	failures := make([]error, len(files))
	for i, file := range files {
		group.Go(func() {
			failures[i] = p.contents(file, func(name string, r io.Reader) error {
				h := p.newHash()
				part, err := p.decode(name, io.TeeReader(r, h))
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				canonical = canonical && hex.EncodeToString(h.Sum(nil)) == p.digests[name]
				parts[name], origin[name] = part, file
				return nil
			})
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		return nil, nil, err
	}
	assemble := func(names []string) (*Dataset, error) {
		d := &Dataset{
			Name:   p.name,
			Height: p.height, Width: p.width, Channels: p.channels,
			ClassNames: slices.Clone(p.classNames),
			Canonical:  canonical,
		}
		var images [][]byte
		for _, name := range names {
			part, ok := parts[name]
			if !ok {
				return nil, fmt.Errorf("datasets: %s: %s missing", strings.Join(files, ", "), name)
			}
			if part.images != nil {
				images = append(images, part.images)
			}
			d.Labels = append(d.Labels, part.labels...)
		}
		if d.Images = images[0]; len(images) > 1 {
			d.Images = slices.Concat(images...)
		}
		if n := len(d.Images) / d.imageSize(); n != len(d.Labels) {
			last := names[len(names)-1]
			return nil, &FormatError{File: origin[last], Offset: 4, Field: "number of labels",
				Got: fmt.Sprint(len(d.Labels)), Allowed: fmt.Sprintf("%d, the number of images in %s", n, origin[names[0]])}
		}
		d.Checksum = d.ComputeChecksum()
		return d, nil
	}
	if train, err = assemble(p.train); err != nil {
		return nil, nil, err
	}
	if test, err = assemble(p.test); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// verify compares the contents of a downloaded file with their digests.
func (p *publication) verify(file string) error {
	missing := []string{contentName(file)}
	if isArchive(file) {
		missing = p.files()
	}
	err := p.contents(file, func(name string, r io.Reader) error {
		h := p.newHash()
		if _, err := io.Copy(h, r); err != nil {
			return err
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != p.digests[name] {
			return fmt.Errorf("checksum of the uncompressed %s: got %s; allowed: %s", name, got, p.digests[name])
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
		return nil
	})
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("datasets: %s: %s missing", file, strings.Join(missing, ", "))
	}
	return err
}
