// Package losses holds the loss functions that shape an embedded space.
package losses
