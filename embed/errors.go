package embed

import (
	"errors"
	"fmt"
)

// Errors of this package, for errors.Is.
var (
	// ErrUnknown: the technique is not registered.
	ErrUnknown = errors.New("unknown")
	// ErrDiverged: the loss, a monitor or a variable is not finite.
	ErrDiverged = errors.New("has diverged")
	// ErrOtherRun: the checkpoint has another configuration or other data.
	ErrOtherRun = errors.New("another run")
	// ErrNoResult: the folder holds no complete Result.
	ErrNoResult = errors.New("no complete result")
	// ErrUnfinished: the training of the Result has not ended.
	ErrUnfinished = errors.New("unfinished")
	// ErrNoNetwork: the Result was made by hand, or read by LoadArrays, and has no network.
	ErrNoNetwork = errors.New("no network")
	// ErrNoTrace: the Result was trained without Options.Trace.
	ErrNoTrace = errors.New("no trace of the training")
)

// A ValueError says that a value is not allowed, and what is.
type ValueError struct {
	Name    string // of a field, as in Defaults, or of a parameter
	Value   any
	Allowed string
}

// Error names the value and what is allowed.
func (e *ValueError) Error() string {
	return fmt.Sprintf("embed: %s is %#v; allowed: %s", e.Name, e.Value, e.Allowed)
}
