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

	// folders are the paths below a data folder where the content files may be: the
	// first is our own, others are where other programs and people put them. downloads are
	// the paths of the files that mirrors offer; the address of such a file is one
	// of mirrors followed by the last element of its path.
	folders   []string
	downloads []string
	mirrors   []string

	// python are the paths of the same dataset in another form, which Python pickles.
	python []string

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

	here = "." // the data folder itself
)

var (
	mnistClasses   = []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	fashionClasses = []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
)

// The publications. The IDX files have SHA-256 digests. For the files of the
// CIFAR binary versions the SHA-1 digests are those of MXNet's Gluon.
//
// MNIST's own home (yann.lecun.com/exdb/mnist) no longer serves its files; the
// first mirror is PyTorch's, the second the Common Visual Data Foundation's.
var publications = []*publication{
	idxPublication("mnist", []string{"mnist", "MNIST/raw", here}, mnistClasses, map[string]string{
		idxTrainImages: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
		idxTrainLabels: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
		idxTestImages:  "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
		idxTestLabels:  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
	},
		"https://ossci-datasets.s3.amazonaws.com/mnist/",
		"https://storage.googleapis.com/cvdf-datasets/mnist/",
	),
	idxPublication("fashion-mnist", []string{"fashion-mnist", "FashionMNIST/raw", here}, fashionClasses, map[string]string{
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
		decode:    decodeCIFAR(cifar10, func(string) int { return 10_000 }),
		folders:   []string{"cifar-10-batches-bin", here},
		python:    []string{"cifar-10-batches-py", "cifar-10-python.tar.gz"},
		downloads: []string{"cifar-10-binary.tar.gz"},
		mirrors: []string{
			"https://www.cs.toronto.edu/~kriz/",
			"https://cave.cs.toronto.edu/kriz/",
			"https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/cifar10/",
		},
	},
	cifar100("cifar-100", cifar100Fine, strings.Fields(`apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy
		bridge bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
		dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard
		lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
		pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper
		snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout
		tulip turtle wardrobe whale willow_tree wolf woman worm`)),
	cifar100("cifar-100-coarse", cifar100Coarse, strings.Fields(`aquatic_mammals fish flowers food_containers fruit_and_vegetables
		household_electrical_devices household_furniture insects large_carnivores large_man-made_outdoor_things
		large_natural_outdoor_scenes large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles
		small_mammals trees vehicles_1 vehicles_2`)),
}

// cifar100 is CIFAR-100 with one of its two kinds of labels.
func cifar100(name string, form cifarForm, classNames []string) *publication {
	return &publication{
		name:   name,
		height: cifarSide, width: cifarSide, channels: 3,
		classNames: classNames,
		train:      []string{"train.bin"},
		test:       []string{"test.bin"},
		newHash:    sha1.New,
		digests: map[string]string{
			"train.bin": "e207cd2e05b73b1393c74c7f5e7bea451d63e08e",
			"test.bin":  "8fb6623e830365ff53cf14adec797474f5478006",
		},
		decode: decodeCIFAR(form, func(file string) int {
			return map[string]int{"train.bin": 50_000, "test.bin": 10_000}[file]
		}),
		folders:   []string{"cifar-100-binary"},
		python:    []string{"cifar-100-python", "cifar-100-python.tar.gz"},
		downloads: []string{"cifar-100-binary.tar.gz"},
		mirrors: []string{
			"https://www.cs.toronto.edu/~kriz/",
			"https://cave.cs.toronto.edu/kriz/",
			"https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/cifar100/",
		},
	}
}

// idxPublication is a publication in the form of MNIST.
func idxPublication(name string, folders, classNames []string, digests map[string]string, mirrors ...string) *publication {
	p := &publication{
		name:   name,
		height: 28, width: 28, channels: 1,
		classNames: classNames,
		train:      []string{idxTrainImages, idxTrainLabels},
		test:       []string{idxTestImages, idxTestLabels},
		newHash:    sha256.New,
		digests:    digests,
		decode:     decodeMNISTFile,
		folders:    folders,
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

// decodeCIFAR decodes files of as many records as their names promise. Without the
// number a file that was cut between two records would pass.
func decodeCIFAR(form cifarForm, records func(file string) int) func(name string, r io.Reader) (content, error) {
	return func(name string, r io.Reader) (content, error) {
		raw, err := readContent(r, int64(records(name)*form.record()), 0, "records")
		if err != nil {
			return content{}, err
		}
		images, labels, err := form.parse(raw)
		return content{images: images, labels: labels}, err
	}
}

// find returns the files that hold the publication below the data folder
// root. The error is fs.ErrNotExist if all are missing, names the missing
// ones if some are, and what is there in place of them.
func (p *publication) find(root string) ([]string, error) {
	var incomplete error
	for _, folder := range p.folders {
		folder = filepath.Join(root, filepath.FromSlash(folder))
		found, missing := p.findIn(folder)
		if len(missing) == 0 {
			return found, nil
		}
		if len(found) > 0 && incomplete == nil {
			incomplete = fmt.Errorf("datasets: %s is incomplete: %s missing", folder, strings.Join(missing, ", "))
		}
	}
	if incomplete != nil {
		return nil, incomplete
	}
	if archives := p.downloadPaths(root); !slices.ContainsFunc(archives, func(a string) bool { return !isFile(a) }) {
		return archives, nil
	}
	for _, other := range p.python {
		if _, err := os.Stat(filepath.Join(root, other)); err == nil {
			return nil, fmt.Errorf("datasets: %s is the Python version of %s; allowed: the binary version, %s or a folder %s with %s",
				filepath.Join(root, other), p.name, strings.Join(p.downloads, ", "), p.folders[0], strings.Join(p.files(), ", "))
		}
	}
	return nil, fs.ErrNotExist
}

// findIn returns the content files in a folder, gzipped or not, and the names of those
// that are missing. IDX files may have the names of Kaggle, train-images.idx3-ubyte.
func (p *publication) findIn(folder string) (found, missing []string) {
	for _, file := range p.files() {
		dotted := strings.Replace(file, "-idx", ".idx", 1)
		names := []string{file, file + ".gz", dotted, dotted + ".gz"}
		i := slices.IndexFunc(names, func(name string) bool { return isFile(filepath.Join(folder, name)) })
		if i < 0 {
			missing = append(missing, file)
		} else {
			found = append(found, filepath.Join(folder, names[i]))
		}
	}
	return found, missing
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
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), partSuffix), ".gz")
	return strings.Replace(name, ".idx", "-idx", 1)
}

func isArchive(file string) bool { return strings.HasSuffix(contentName(file), ".tar") }

// unpacked calls read for the content of a file, gzipped or not.
func unpacked(file string, read func(r io.Reader) error) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	if magic, _ := r.Peek(2); string(magic) != "\x1f\x8b" {
		return read(r)
	}
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return inFile(file, err)
	}
	return read(unzipped)
}

// contents calls visit for each content file in file: for the members of a
// tar.gz archive, else for file itself. Members that are not part of the publication
// are skipped.
func (p *publication) contents(file string, visit func(name string, r io.Reader) error) error {
	if !isArchive(file) {
		return unpacked(file, func(r io.Reader) error { return inFile(file, visit(contentName(file), r)) })
	}
	return unpacked(file, func(r io.Reader) error {
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
	})
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
				digest := hex.EncodeToString(h.Sum(nil))
				if other := publicationOf(name, digest); other != "" && digest != p.digests[name] {
					return fmt.Errorf("the %s of %s; allowed: that of %s", name, other, p.name)
				}
				mu.Lock()
				defer mu.Unlock()
				canonical = canonical && digest == p.digests[name]
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
			return nil, wrongLabels(origin[names[len(names)-1]], len(d.Labels), origin[names[0]], n)
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

// wrongLabels is the error of a file of labels for another number of images.
func wrongLabels(labelsFile string, labels int, imagesFile string, images int) error {
	return &FormatError{File: labelsFile, Offset: 4, Field: "number of labels",
		Got: fmt.Sprint(labels), Allowed: fmt.Sprintf("%d, the number of images in %s", images, imagesFile)}
}

// publicationOf returns the name of a publication that has this content, empty if there
// is none.
func publicationOf(file, digest string) string {
	for _, p := range publications {
		if p.digests[file] == digest {
			return p.name
		}
	}
	return ""
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
