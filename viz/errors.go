package viz

import "errors"

// An error that a caller may want to tell apart wraps one of these. For invalid input its
// text names the panel and the value that is wrong.
var (
	ErrEmpty     = errors.New("nothing to draw")
	ErrDim       = errors.New("dimension must be 1 or more")
	ErrLength    = errors.New("lengths do not match")
	ErrLabel     = errors.New("label out of range")
	ErrNotFinite = errors.New("not a finite number")
	ErrSphere    = errors.New("norm must be 1 or 0, as Projected makes it")
	ErrArrows    = errors.New("arrows are drawn in the space, not on the unit circle or sphere")
	ErrRegions   = errors.New("decision regions are drawn in 2 dimensions only")
	ErrMissing   = errors.New("a missing panel must not have points")
	ErrFrames    = errors.New("frames must show the same points")
	ErrPanel     = errors.New("only scatters have a JSON form")
	ErrColumns   = errors.New("columns must not be negative")
	ErrExtension = errors.New("wrong extension")
	ErrNotebook  = errors.New("not in a GoNB notebook: Save writes a file instead")
)
