package embed

import (
	"errors"
	"fmt"
)

// Errors of Train, Fit and Load, to be asked for by errors.Is.
var (
	// ErrUnknown is of a technique that is not registered.
	ErrUnknown = errors.New("unknown")
	// ErrDiverged is of a training whose loss, variables or monitors are not finite.
	ErrDiverged = errors.New("has diverged")
	// ErrOtherRun is of a checkpoint of another configuration or other data.
	ErrOtherRun = errors.New("another run")
	// ErrNoResult is of a folder that holds no complete Result.
	ErrNoResult = errors.New("no complete result")
	// ErrUnfinished is of a Result whose training has not ended.
	ErrUnfinished = errors.New("unfinished")
	// ErrNoNetwork is of a Result that was made by hand, and has no network.
	ErrNoNetwork = errors.New("no network")
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
