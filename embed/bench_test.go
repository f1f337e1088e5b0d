package embed

import (
	"testing"

	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/embedtest"
)

// benchNetwork runs a benchmark for each backend and padding, with a batch of
// images of MNIST's shape.
func benchNetwork(b *testing.B, run func(b *testing.B, net *network)) {
	for _, name := range embedtest.Backends(b) {
		for _, padding := range []string{"valid", "same"} {
			b.Run(name+"/"+padding, func(b *testing.B) {
				backend, err := backends.Open(name, nil)
				if err != nil {
					b.Fatal(err)
				}
				cfg, err := Config{Padding: padding}.WithDefaults()
				if err != nil {
					b.Fatal(err)
				}
				net, err := newNetwork(cfg, backend, [3]int{28, 28, 1}, 10)
				if err != nil {
					b.Fatal(err)
				}
				run(b, net)
			})
		}
	}
}

// reportRate reports images per second, for n images per round.
func reportRate(b *testing.B, n int) {
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
}

func BenchmarkTrainingStep(b *testing.B) {
	benchNetwork(b, func(b *testing.B, net *network) {
		images := randomDigits(net.cfg.Batch)
		step := func() {
			if _, err := net.train(images.Images, images.Labels, net.cfg.LearningRate, 0); err != nil {
				b.Fatal(err)
			}
		}
		step() // compiles
		for b.Loop() {
			step()
		}
		reportRate(b, images.Len())
	})
}

func BenchmarkInference(b *testing.B) {
	benchNetwork(b, func(b *testing.B, net *network) {
		images := randomDigits(embedBatch)
		infer := func() {
			if _, err := net.embedAll(images); err != nil {
				b.Fatal(err)
			}
		}
		infer() // compiles
		for b.Loop() {
			infer()
		}
		reportRate(b, images.Len())
	})
}

// BenchmarkSave saves the checkpoint of a network for images of MNIST's shape.
func BenchmarkSave(b *testing.B) {
	backend, err := backends.Open("go", nil)
	if err != nil {
		b.Fatal(err)
	}
	cfg, err := Config{}.WithDefaults()
	if err != nil {
		b.Fatal(err)
	}
	net, err := newNetwork(cfg, backend, [3]int{28, 28, 1}, 10)
	if err != nil {
		b.Fatal(err)
	}
	images := randomDigits(8)
	if _, err := net.train(images.Images, images.Labels, cfg.LearningRate, 0); err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	for b.Loop() {
		if err := saveCheckpoint(folder, net, trainingState{Config: cfg}); err != nil {
			b.Fatal(err)
		}
	}
}
