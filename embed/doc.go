// Package embed trains a convolutional network that maps images to a 2-D, 3-D
// or D-dimensional embedded space, and measures that space.
package embed
