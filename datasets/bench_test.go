package datasets

import (
	"context"
	"io"
	"os"
	"testing"
)

// BenchmarkLoadMNIST gunzips, decodes and checks all 70,000 images.
func BenchmarkLoadMNIST(b *testing.B) {
	b.Setenv("EMBEDSPACE_DATA", realData(b, "mnist"))
	benchmarkLoad(b, "mnist")
}

// BenchmarkLoadCIFAR10 decodes and checks all 60,000 images.
func BenchmarkLoadCIFAR10(b *testing.B) {
	b.Setenv("EMBEDSPACE_DATA", realData(b, "cifar-10-batches-bin"))
	benchmarkLoad(b, "cifar-10")
}

func BenchmarkLoadSampleMNIST(b *testing.B)   { benchmarkLoad(b, "mnist-sample") }
func BenchmarkLoadSampleFashion(b *testing.B) { benchmarkLoad(b, "fashion-mnist-sample") }

func benchmarkLoad(b *testing.B, name string) {
	b.ReportAllocs()
	for b.Loop() {
		train, test, err := Load(context.Background(), name, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(train.Images) + len(test.Images)))
	}
}

// BenchmarkDecodeIDXImages decodes the uncompressed training images of MNIST.
func BenchmarkDecodeIDXImages(b *testing.B) {
	p := publications[0]
	files, err := p.find(realData(b, "mnist"))
	if err != nil {
		b.Fatal(err)
	}
	plain := b.TempDir() + "/" + idxTrainImages
	err = p.contents(files[0], func(_ string, r io.Reader) error {
		content, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		b.SetBytes(int64(len(content)))
		return os.WriteFile(plain, content, 0o644)
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f, err := os.Open(plain)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, _, err := DecodeIDXImages(f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
