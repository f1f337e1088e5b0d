package embed

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// trainingVersion is the version of all that decides about the bits of a Result beside its
// Config, its images and the backend: the losses, the extractor, the optimizer, the order of
// images and the form of the files. Whoever changes one of them counts on; Results of before
// are not reused any more.
const trainingVersion = 4

// isInterrupted tells whether the checkpoint in the training's folder is one of this training, to
// go on from, whatever Result of another is beside it.
func (t *training) isInterrupted() bool {
	_, saved, err := loadCheckpoint(Folder(t.opts.Out))
	return err == nil && saved.Open && saved.Version == t.state.Version && saved.Options == t.state.Options && sameRun(saved, t.state) == nil
}

// reuse returns the Result in the training's folder, nil if it is not the one that the
// training would come to. What is not there needs no word; all else is said. isOther says that
// the folder has a Result that is not to be resumed either.
func (t *training) reuse(output io.Writer) (r *Result, isOther bool, err error) {
	if t.opts.Out == "" {
		return nil, false, errors.New("embed: reuse needs the folder of the result in Options.Out")
	}
	anew := func(reason any) (*Result, bool, error) {
		fmt.Fprintf(output, "%s is trained anew: %v\n", t.opts.Out, reason)
		return nil, true, nil
	}
	if t.opts.Resume && t.isInterrupted() {
		return nil, false, nil
	}
	r, variables, frozen, err := read(Folder(t.opts.Out))
	switch {
	case errors.Is(err, fs.ErrNotExist), t.opts.Resume && errors.Is(err, ErrUnfinished):
		return nil, false, nil
	case err != nil:
		return anew(err)
	case t.net.technique.Family == "" || t.cfg.Extractor != defaultExtractor:
		return anew("the technique or the extractor is not one of this library")
	case r.version != trainingVersion:
		return anew("it is of another version of this library")
	case r.options != t.state.Options:
		return anew("it was trained with other options of the backend")
	}
	if err := sameRun(trainingState{Config: r.Config, Data: r.Data}, t.state); err != nil {
		return anew(err)
	}
	switch {
	case t.trace == nil:
		r.Trace = nil
	case r.Trace == nil || !slices.Equal(r.Trace.Indices, t.trace.Indices):
		return anew("its trace is not the one that is wanted")
	}
	r.net = t.net
	if err := r.net.restore(variables, frozen); err != nil {
		return nil, false, err
	}
	fmt.Fprintf(output, "%s is reused\n", t.opts.Out)
	return r, false, nil
}
