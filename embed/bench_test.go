package embed

import (
	"fmt"
	"testing"
)

// benchNetwork runs a benchmark for each backend and padding, with a batch of
// images of MNIST's shape.
func benchNetwork(b *testing.B, run func(b *testing.B, net *network)) {
	for _, name := range testBackends(b) {
		for _, padding := range []string{"valid", "same"} {
			b.Run(name+"/"+padding, func(b *testing.B) {
				backend, err := OpenBackend(name, nil)
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
	backend, err := OpenBackend("go", nil)
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

// BenchmarkMetrics measures as many test points as MNIST has by a reference, ten classes
// around the corners of a cube that overlap a little.
func BenchmarkMetrics(b *testing.B) {
	for _, size := range []struct{ reference, dim int }{{20_000, 2}, {60_000, 2}, {60_000, 3}, {60_000, 16}} {
		b.Run(fmt.Sprintf("%dx%d", size.reference, size.dim), func(b *testing.B) {
			test, reference := clouds(10_000, size.dim, 10, 0.3, 1), clouds(size.reference, size.dim, 10, 0.3, 2)
			resetPeakMemory()
			for b.Loop() {
				if _, err := test.Metrics(reference, 10); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(peakMemory())/(1<<20), "peak-MiB")
		})
	}
}
