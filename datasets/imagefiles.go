package datasets

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
)

// The bytes of images that a folder's dataset has in memory. Tests make them fewer.
var (
	memoryLimit = 1 << 30 // of all images, at most; larger datasets read their files
	cacheLimit  = 1 << 26 // of these: all images come once in an epoch, so that no choice is better than the first ones
)

// An imageFiles is images that are read from their files when they are needed.
type imageFiles struct {
	reader  imageReader
	paths   []string
	digests [][sha256.Size]byte // see digestOf
	cache   []byte              // the pixels of the first ones
}

// read sets pixels to those of these images, decoded by as many processors as the
// program has. An image that is not the one that was listed is an error.
func (f *imageFiles) read(images []int, pixels []byte) error {
	size := f.reader.size()
	failures := make([]error, len(images))
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for k := w; k < len(images); k += workers {
				failures[k] = f.readOne(images[k], pixels[k*size:][:size])
			}
		})
	}
	group.Wait()
	return cmp.Or(failures...)
}

func (f *imageFiles) readOne(i int, pixels []byte) error {
	if end := (i + 1) * len(pixels); end <= len(f.cache) {
		copy(pixels, f.cache[end-len(pixels):end])
		return nil
	}
	if err := f.reader.read(f.paths[i], pixels); err != nil {
		return err
	}
	if digestOf(pixels, f.reader.channels) != f.digests[i] {
		return fmt.Errorf("datasets: %s has changed since it was listed; allowed: files that stay as they are", f.paths[i])
	}
	return nil
}

// digestOf returns the SHA-256 of the pixels of an image: of one value each where they are
// gray, also in three channels.
func digestOf(pixels []byte, channels int) [sha256.Size]byte {
	if channels == 3 && isGray(pixels) {
		pixels = grayOf(pixels)
	}
	return sha256.Sum256(pixels)
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

// grayOf returns the first of each three bytes.
func grayOf(rgb []byte) []byte {
	gray := make([]byte, len(rgb)/3)
	for p := range gray {
		gray[p] = rgb[3*p]
	}
	return gray
}
