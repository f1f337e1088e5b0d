package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

// TestMain makes the test's program the one that trains, too.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		return
	}
	embedtest.Exit(m.Run())
}

func TestRunsAreEqual(t *testing.T) {
	var stdout, stderr strings.Builder
	code := run(context.Background(), []string{"-runs", "2", "-busy", "1", "-backend", "go", "-train", "128", "-epochs", "1"}, &stdout, &stderr)
	if want := "0 of 2 runs differ\n"; code != 0 || stdout.String() != want || stderr.Len() > 0 {
		t.Errorf("exit code %d, output %q, want 0 and %q; errors %q", code, stdout.String(), want, stderr.String())
	}
}

func TestRunFails(t *testing.T) {
	var stdout, stderr strings.Builder
	code := run(context.Background(), []string{"-runs", "1", "-backend", "nowhere", "-train", "128"}, &stdout, &stderr)
	if code != 1 || !strings.Contains(stdout.String(), "run 1 failed") || !strings.Contains(stdout.String(), "1 of 1 runs differ") {
		t.Errorf("exit code %d, output %q, want 1 and a run that failed", code, stdout.String())
	}
	for _, args := range [][]string{{"-runs", "0"}, {"-busy", "-1"}, {"-technique", "none"}, {"extra"}, {"-none"}} {
		if code := run(context.Background(), args, &stdout, &stderr); code != 2 {
			t.Errorf("exit code %d with %q, want 2", code, args)
		}
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if code := run(ended, []string{"-backend", "go"}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d when interrupted, want 1", code)
	}
}

func TestDifferences(t *testing.T) {
	test := func() points {
		return points{Dim: 2, Z: []float32{1, 2, 3, 4, 5, 6, 7, 8}, Predicted: []int32{0, 1, 2, 3}}
	}
	same := func() *outcome {
		return &outcome{
			Epochs: []points{test()}, Train: test(), Test: test(), LoadedTrain: test(), LoadedTest: test(), SavedTrain: test(), SavedTest: test(),
			Variables: map[string][]byte{"head/weights.npy": {1, 2}},
		}
	}
	if got := append(same().inconsistent(), same().differs(same())...); len(got) > 0 {
		t.Errorf("equal runs differ: %q", got)
	}
	other := same()
	other.Test.Z[2], other.Test.Z[5], other.Test.Predicted[3] = 0, 4, 0
	other.Variables["head/weights.npy"] = []byte{1, 3}
	got := append(other.inconsistent(), other.differs(same())...)
	want := []string{
		"test embedding against the loaded checkpoint's: 3 of 4 rows (1-3), by 3 at most, 1 predicted classes",
		"test embedding at the end: 3 of 4 rows (1-3), by 3 at most, 1 predicted classes",
		"variable head/weights",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRanges(t *testing.T) {
	for _, test := range []struct {
		numbers []int
		want    string
	}{{[]int{3}, "3"}, {[]int{0, 1, 2, 5, 7, 8}, "0-2, 5, 7-8"}, {[]int{0, 2, 4, 6, 8, 10}, "0, 2, 4, 6, 8, ..."}} {
		if got := ranges(test.numbers); got != test.want {
			t.Errorf("ranges(%v) = %q, want %q", test.numbers, got, test.want)
		}
	}
}
