//go:build race

package losses_test

func init() { raceDetector = true }
