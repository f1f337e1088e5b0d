package embed

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/embedspace/embedspace/datasets"
)

// A Speed is what Bench measures.
type Speed struct {
	Backend                  string  `json:"backend"`
	Batch                    int     `json:"batch"`
	Padding                  string  `json:"padding"`
	TrainImagesPerSecond     float64 `json:"train_images_per_second"`
	InferenceImagesPerSecond float64 `json:"inference_images_per_second"`
	MillisecondsPerStep      float64 `json:"ms_per_step"`
}

// Bench measures training steps, and the embedding of as many images, of the
// Config's network on random images of MNIST's shape. Compilation and two steps to
// warm up are not counted. Errors are those of Fit.
func Bench(cfg Config, steps int) (Speed, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return Speed{}, err
	}
	if steps < 1 {
		return Speed{}, fmt.Errorf("embed: steps is %d; allowed: 1 or more", steps)
	}
	backend, err := OpenBackend(cfg.Backend, nil)
	if err != nil {
		return Speed{}, err
	}
	cfg.Backend = backendName(backend)
	images := randomDigits(max(cfg.Batch, steps*cfg.Batch/embedBatch*embedBatch))
	net, err := newNetwork(cfg, backend, [3]int{images.Height, images.Width, images.Channels}, images.Classes())
	if err != nil {
		return Speed{}, err
	}

	batch, labels := images.Images[:cfg.Batch*len(images.At(0))], images.Labels[:cfg.Batch]
	train := func(steps int) (err error) {
		for range steps {
			if _, err = net.train(batch, labels, cfg.LearningRate, 0); err != nil {
				return err
			}
		}
		return nil
	}
	trainTime, err := timed(func() error { return train(2) }, func() error { return train(steps) })
	if err != nil {
		return Speed{}, err
	}
	embed := func() error { _, err := net.embedAll(images); return err }
	embedTime, err := timed(embed, embed)
	if err != nil {
		return Speed{}, err
	}
	return Speed{
		Backend: cfg.Backend, Batch: cfg.Batch, Padding: cfg.Padding,
		TrainImagesPerSecond:     float64(steps*cfg.Batch) / trainTime.Seconds(),
		InferenceImagesPerSecond: float64(images.Len()) / embedTime.Seconds(),
		MillisecondsPerStep:      1000 * trainTime.Seconds() / float64(steps),
	}, nil
}

// timed returns how long run takes after warmUp.
func timed(warmUp, run func() error) (time.Duration, error) {
	if err := warmUp(); err != nil {
		return 0, err
	}
	started := time.Now()
	err := run()
	return time.Since(started), err
}

// randomDigits returns n images of MNIST's shape, of noise.
func randomDigits(n int) *datasets.Dataset {
	random := rand.New(rand.NewPCG(1, 1))
	d := &datasets.Dataset{
		Name: "noise", Height: 28, Width: 28, Channels: 1,
		Images: make([]byte, n*28*28), Labels: make([]int32, n), ClassNames: make([]string, 10),
	}
	for i := range d.Images {
		d.Images[i] = byte(random.Uint32())
	}
	for i := range d.Labels {
		d.Labels[i] = int32(i % 10)
	}
	return d
}
