package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed/backends"
	"github.com/embedspace/embedspace/embed/internal/console"
	"github.com/embedspace/embedspace/embed/measure"
	"github.com/embedspace/embedspace/viz/explorer"
)

// Options say where a training shows its progress and keeps its checkpoints. They
// do not change its result.
type Options struct {
	// Progress shows a bar, rate, remaining time, loss and accuracy; nil: standard
	// error, or the output of a notebook's cell. io.Discard shows nothing.
	Progress io.Writer
	// Out names the folder of checkpoints and of the Result (see Folder); empty:
	// nothing is kept.
	Out string
	// Resume goes on from the checkpoint in Out, if there is one.
	Resume bool
	// Reuse takes the Result in Out instead of training, the same bit for bit, where it is
	// complete and of the same Config, images, backend and version of the training, and has
	// the Trace that is wanted. Progress says so, or why not. One with a technique or an
	// extractor of your own is trained anew, as its code may have changed, and so is one
	// that can't be read. OnEpoch is not called for what is reused.
	Reuse bool
	// Trace is the number of test images whose embedding, while it forms, becomes
	// Result.Trace: after each epoch, and in the first, where most of it happens, after the
	// steps 1, 2, 3, 4, 6, 8, 11, 16 and so on, each √2 times the one before. 2,000 images
	// take 24 KB each time in 2-D. 0: none.
	Trace int
	// OnEpoch is called after each epoch with the Result so far, which has no training
	// embeddings. Its network trains on: what is asked of it later, a later one answers. An
	// error ends the training.
	OnEpoch func(*Result) error
}

// An Epoch is one row of a training's history.
type Epoch struct {
	Epoch           int     `json:"epoch"`          // from 1
	Loss            float64 `json:"loss"`           // mean over the epoch's steps
	TrainAccuracy   float64 `json:"train_accuracy"` // share, 0 to 1: mean over the epoch's batches, each before its step
	TestAccuracy    float64 `json:"test_accuracy"`  // share, 0 to 1
	Seconds         float64 `json:"seconds"`        // of training, without the evaluation
	ImagesPerSecond float64 `json:"images_per_second"`
	// Monitors are the means of what the technique follows (see Head.Monitor).
	Monitors map[string]float64 `json:"monitors,omitempty"`
}

// Interruptible returns a context that ends at the first SIGINT (Ctrl-C, or a
// notebook's interrupt) or SIGTERM, so that a training saves a checkpoint and
// returns. A second signal ends the process.
func Interruptible() context.Context {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx
}

// Train loads the dataset that the Config names and calls Fit. Errors are those of
// datasets.Load and of Fit.
func Train(ctx context.Context, cfg Config, opts Options) (*Result, error) {
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	train, test, err := datasets.Load(ctx, cfg.Dataset, console.Output(opts.Progress))
	if err != nil {
		return nil, err
	}
	return Fit(ctx, cfg, train, test, opts)
}

// Fit trains an embedding of the training images, evaluates it on the test images
// after each epoch, and returns the Result.
//
// The mean of the technique's loss over a batch is minimized by Adam, with the
// learning rate of one cycle over all epochs. An incomplete last batch is left out of its
// epoch. With several devices, each computes its part of every batch, and the result is
// that of one except for rounding: losses of pairs and triplets, and centers, see the whole
// batch. Evaluation takes one device. The same Config, data, backend and machine give the
// same Result, bit for bit except for its times, also when the training was interrupted and
// resumed.
//
// When ctx ends, a checkpoint is saved in Out and the error wraps ctx.Err(). A loss, a
// monitor or a variable that is not finite ends the training with an error that names the
// step; the last checkpoint before it stays. Bad input, and whatever goes wrong when graphs
// are built or run, comes back as an error too.
//
// Where the memory to expect is more than half of what is available, Progress gets a line that
// says it; the error of a batch that does not fit into the machine's memory names the largest
// one that does. On a GPU, and with an extractor of your own, it is not known. In pure Go the
// garbage collector of the process runs more often while it trains, to take less memory.
//
// Config.Dataset does not choose the images here: it names them in pictures and files, and
// sets the defaults of Batch and Epochs. Where it is empty, it is the name of the training
// images.
//
// Errors: ErrUnknown; ErrDiverged; ErrOtherRun, where it resumes; a ValueError; ctx.Err().
func Fit(ctx context.Context, cfg Config, train, test *datasets.Dataset, opts Options) (*Result, error) {
	t, err := newTraining(cfg, train, test, opts)
	if err != nil {
		return nil, err
	}
	if t.reused != nil {
		return t.reused, nil
	}
	defer t.progress.end()
	defer collectOften(t.cfg.Backend)()
	for t.state.Epoch < t.cfg.Epochs {
		if err := t.runEpoch(ctx); err != nil {
			return nil, err
		}
		if err := t.endEpoch(); err != nil {
			return nil, err
		}
	}
	return t.finish()
}

// A training is the state of a Fit.
type training struct {
	cfg         Config
	opts        Options
	train, test *datasets.Dataset
	reference   *datasets.Dataset // training images whose means are the centers after an epoch
	net         *network
	progress    *progressView
	state       trainingState
	trace       *explorer.Trace // nil: none is wanted
	lastSave    time.Time
	reused      *Result // with Options.Reuse, where there is one
}

// A trainingState is what a checkpoint holds beside the variables.
type trainingState struct {
	Version  int                `json:"version"` // see trainingVersion
	Config   Config             `json:"config"`
	Data     DataInfo           `json:"data"`
	Epoch    int                `json:"epoch"`              // complete epochs
	Step     int                `json:"step"`               // complete steps of the epoch after them
	Loss     float64            `json:"loss"`               // sum over these steps
	Right    float64            `json:"right"`              // sum of their accuracies
	Monitors map[string]float64 `json:"monitors,omitempty"` // sums of theirs
	Seconds  float64            `json:"seconds"`
	History  []Epoch            `json:"history"`
	Frozen   []string           `json:"frozen,omitempty"`  // variables of extractor and head that are not trained
	Open     bool               `json:"open,omitempty"`    // of a training that goes on; what else is in the folder may be of another
	Options  string             `json:"options,omitempty"` // of XLA, behind the name of the backend
}

func newTraining(cfg Config, train, test *datasets.Dataset, opts Options) (*training, error) {
	if err := checkData(train, test); err != nil {
		return nil, err
	}
	setDefault(&cfg.Dataset, cmp.Or(train.Name, "own"))
	given := cfg
	cfg, err := cfg.WithDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Train > 0 && cfg.Train < train.Len() {
		if train, err = train.Subset(cfg.Train, cfg.Seed); err != nil {
			return nil, err
		}
	}
	cfg.Train = train.Len()
	cfg = cfg.forImages(cfg.Train, train.Height*train.Width)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Batch > cfg.Train {
		return nil, &ValueError{"batch", cfg.Batch, fmt.Sprintf("1 to %d, the training images", cfg.Train)}
	}
	output := console.Output(opts.Progress)
	backend, err := backends.OpenDevices(cfg.Backend, cfg.Devices, output)
	if err != nil {
		return nil, err
	}
	options := backends.Options(cfg.Backend, backend)
	cfg.Backend = backends.Name(backend)
	shape := [3]int{train.Height, train.Width, train.Channels}
	net, err := newNetwork(cfg, backend, shape, train.Classes())
	if err != nil {
		return nil, err
	}
	if err := checkMemory(cfg, shape, os.DirFS("/"), output); err != nil {
		return nil, err
	}
	reference := train
	if net.technique.Scores == nil && train.Len() > referenceImages {
		if reference, err = train.Subset(referenceImages, cfg.Seed); err != nil {
			return nil, err
		}
	}
	t := &training{
		cfg: cfg, opts: opts, train: train, test: test, reference: reference, net: net,
		state:    trainingState{Version: trainingVersion, Config: cfg, Data: NewDataInfo(train, test), Open: true, Options: options},
		lastSave: time.Now(),
	}
	if opts.Trace < 0 {
		return nil, &ValueError{"trace", opts.Trace, "0 (none) or more"}
	}
	if opts.Trace > 0 {
		t.trace = newTrace(opts.Trace, test.Len())
	}
	resumes := opts.Resume
	if opts.Reuse {
		var isOther bool
		if t.reused, isOther, err = t.reuse(output); t.reused != nil || err != nil {
			return t, err
		}
		resumes = resumes && !isOther
	}
	if resumes {
		if err := t.resume(); err != nil {
			return nil, err
		}
	}
	if cfg.isOwnData() && (given.Epochs == 0 || given.Batch == 0) {
		fmt.Fprintf(output, "%d training images, batch %d: %d epochs, %d steps in all\n", cfg.Train, cfg.Batch, cfg.Epochs, cfg.Epochs*t.stepsPerEpoch())
	}
	t.progress = newProgress(output, cfg, t.stepsPerEpoch())
	return t, nil
}

// checkData returns an error when training and test images can't go together.
func checkData(train, test *datasets.Dataset) error {
	for _, data := range []*datasets.Dataset{train, test} {
		if data == nil || data.Len() == 0 {
			return errors.New("embed: no images; allowed: a training and a test dataset with at least one image each")
		}
		if err := data.Validate(); err != nil {
			return err
		}
	}
	if train.Height != test.Height || train.Width != test.Width || train.Channels != test.Channels {
		return fmt.Errorf("embed: training images are %d x %d x %d and test images %d x %d x %d; allowed: one shape",
			train.Height, train.Width, train.Channels, test.Height, test.Width, test.Channels)
	}
	if train.Classes() != test.Classes() {
		return fmt.Errorf("embed: training images have %d classes and test images %d; allowed: the same classes", train.Classes(), test.Classes())
	}
	for class, name := range train.ClassNames {
		if other := test.ClassNames[class]; other != name {
			return fmt.Errorf("embed: class %d is %q of the training images and %q of the test images; allowed: the same classes in one order", class, name, other)
		}
	}
	return nil
}

// referenceImages is the number of training images whose class means are the centers
// after an epoch, where the nearest center decides: enough for means that decide like
// those of all images, few enough to take no part of an epoch that matters.
const referenceImages = 2_000

func (t *training) stepsPerEpoch() int { return t.train.Len() / t.cfg.Batch }

// saveInterval is the most training that a kill -9 can lose, besides the time that saving
// takes.
const saveInterval = time.Minute

// runEpoch trains the rest of an epoch.
func (t *training) runEpoch(ctx context.Context) error {
	steps := t.stepsPerEpoch()
	order := t.order()
	var images []byte
	labels := make([]int32, t.cfg.Batch)
	for t.state.Step < steps {
		if err := ctx.Err(); err != nil {
			return t.interrupted(err)
		}
		started := time.Now()
		batch := order[t.state.Step*t.cfg.Batch:][:t.cfg.Batch]
		var err error
		if images, err = t.train.AppendPixels(images[:0], batch...); err != nil {
			return err
		}
		for i, example := range batch {
			labels[i] = t.train.Labels[example]
		}
		done := float64(t.state.Epoch*steps+t.state.Step) / float64(t.cfg.Epochs*steps)
		step, err := t.net.train(images, labels, oneCycle(t.cfg.LearningRate, done), done)
		if err != nil {
			return fmt.Errorf("%w (epoch %d, step %d)", err, t.state.Epoch+1, t.state.Step+1)
		}
		if math.IsNaN(step.loss) || math.IsInf(step.loss, 0) {
			return t.diverged(fmt.Sprintf("the loss is %v", step.loss), t.state.Step+1)
		}
		t.state.Seconds += time.Since(started).Seconds()
		t.state.Step++
		t.state.Loss += step.loss
		t.state.Right += step.accuracy
		for name, value := range step.monitors {
			if math.IsNaN(value) || math.IsInf(value, 0) {
				return t.diverged(fmt.Sprintf("monitor %q is %v", name, value), t.state.Step)
			}
			if t.state.Monitors == nil {
				t.state.Monitors = map[string]float64{}
			}
			t.state.Monitors[name] += value
		}
		t.progress.step(t.state)
		if t.state.Epoch == 0 && t.state.Step < steps && isTraced(t.state.Step) {
			if err := t.traceStep(); err != nil {
				return err
			}
		}
		if t.opts.Out != "" && time.Since(t.lastSave) > saveInterval {
			if err := t.saveCheckpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// order returns the training images of the epoch, batch after batch.
func (t *training) order() []int {
	if !t.net.technique.Balanced {
		return epochOrder(t.train.Len(), t.cfg.Seed, t.state.Epoch)
	}
	classes := min(t.cfg.Params[classesPerBatch.Name].(float64), float64(t.train.Classes()))
	return balancedOrder(t.train.Labels, int(classes), t.cfg.Batch, t.cfg.Seed, t.state.Epoch)
}

// interrupted saves a checkpoint and returns the error of a training that ctx has ended.
func (t *training) interrupted(cause error) error {
	err := fmt.Errorf("embed: interrupted in epoch %d, after step %d of %d: %w", t.state.Epoch+1, t.state.Step, t.stepsPerEpoch(), cause)
	if t.opts.Out == "" {
		return err
	}
	if saveErr := t.saveCheckpoint(); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	return fmt.Errorf("%w (checkpoint saved in %s: resume to go on)", err, Folder(t.opts.Out))
}

// checkFinite returns the error of a training whose variables are not finite: a
// finite loss can have a gradient that is not.
func (t *training) checkFinite() error {
	for variable := range t.net.store.IterVariables() {
		value, err := variable.Value()
		if err != nil {
			return err
		}
		if value.DType() != dtypes.Float32 {
			continue
		}
		finite := true
		if err := tensors.ConstFlatData(value, func(elements []float32) {
			for _, x := range elements {
				finite = finite && x-x == 0
			}
		}); err != nil {
			return err
		}
		if !finite {
			return t.diverged("the variable "+variable.Path()+" is not finite", t.state.Step)
		}
	}
	return nil
}

// diverged returns the error of a training that has numbers which are not finite.
// Nothing is saved: the variables may be bad already.
func (t *training) diverged(what string, step int) error {
	err := fmt.Errorf("embed: the training %w: %s in epoch %d, step %d; a lower learning rate than %g may help", ErrDiverged, what, t.state.Epoch+1, step, t.cfg.LearningRate)
	if t.opts.Out == "" {
		return err
	}
	return fmt.Errorf("%w (the last good checkpoint, if any, is in %s)", err, Folder(t.opts.Out))
}

// endEpoch evaluates the epoch that is complete and saves a checkpoint.
func (t *training) endEpoch() error {
	if err := t.checkFinite(); err != nil {
		return err
	}
	if t.net.technique.Scores == nil {
		reference, err := t.net.embedAll(t.reference)
		if err != nil {
			return err
		}
		if err := t.net.setCenters(reference); err != nil {
			return err
		}
	}
	test, err := t.net.embedAll(t.test)
	if err != nil {
		return err
	}
	if test.Predicted, err = t.net.classify(test.Z); err != nil {
		return err
	}
	steps := float64(t.stepsPerEpoch())
	epoch := Epoch{
		Epoch:         t.state.Epoch + 1,
		Loss:          t.state.Loss / steps,
		TrainAccuracy: t.state.Right / steps,
		TestAccuracy:  test.Accuracy(),
		Seconds:       t.state.Seconds,
	}
	for _, before := range t.state.History {
		epoch.Seconds -= before.Seconds
	}
	epoch.ImagesPerSecond = steps * float64(t.cfg.Batch) / epoch.Seconds
	for name, sum := range t.state.Monitors {
		t.state.Monitors[name] = sum / steps
	}
	epoch.Monitors = t.state.Monitors
	t.state.History = append(t.state.History, epoch)
	t.state.Epoch, t.state.Step, t.state.Loss, t.state.Right, t.state.Monitors = t.state.Epoch+1, 0, 0, 0, nil
	t.progress.epoch(epoch)
	t.progress.collapse(epoch)
	if err := t.traceEpoch(test, epoch.Loss); err != nil {
		return err
	}
	if t.opts.Out != "" {
		if err := t.saveCheckpoint(); err != nil {
			return err
		}
	}
	if t.opts.OnEpoch == nil {
		return nil
	}
	result, err := t.result(test)
	if err != nil {
		return err
	}
	return t.opts.OnEpoch(result)
}

// result returns the Result so far; training images are embedded at the end only.
func (t *training) result(test measure.Embedding) (*Result, error) {
	vectors, err := t.net.classVectors()
	if err != nil {
		return nil, err
	}
	result := &Result{
		Config: t.cfg, Data: t.state.Data, ClassNames: t.train.ClassNames,
		Train: measure.Embedding{Dim: t.cfg.Dim, Classes: t.train.Classes()}, Test: test, ClassVectors: vectors,
		History: slices.Clone(t.state.History), net: t.net, version: t.state.Version, options: t.state.Options,
	}
	if t.trace != nil {
		soFar := *t.trace
		result.Trace = &soFar
	}
	return result, nil
}

// finish embeds all images, sets the centers to the means of all training images, and
// saves the Result.
func (t *training) finish() (*Result, error) {
	train, err := t.net.embedAll(t.train)
	if err != nil {
		return nil, err
	}
	test, err := t.net.embedAll(t.test)
	if err != nil {
		return nil, err
	}
	// Training, or the checkpoint, has created the centers of a technique that has some.
	if err := t.net.setCenters(train); err != nil {
		return nil, err
	}
	if train.Predicted, err = t.net.classify(train.Z); err != nil {
		return nil, err
	}
	if test.Predicted, err = t.net.classify(test.Z); err != nil {
		return nil, err
	}
	t.state.History[len(t.state.History)-1].TestAccuracy = test.Accuracy()
	result, err := t.result(test)
	if err != nil {
		return nil, err
	}
	result.Train = train
	if t.opts.Out == "" {
		return result, nil
	}
	return result, result.Save(t.opts.Out)
}
