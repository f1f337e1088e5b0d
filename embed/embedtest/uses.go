package embedtest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/embedspace/embedspace/embed/internal/project"
)

// Uses reads a file of the golden values of what embedded spaces are for, from the folder that
// EMBEDSPACE_GOLDEN_USES names (relative to the root of the module), else ../shared/golden/uses.
// Where that is not there, it skips the test.
func Uses(t *testing.T, file string, content any) {
	t.Helper()
	folder, named := os.LookupEnv("EMBEDSPACE_GOLDEN_USES")
	if !named {
		folder = "../shared/golden/uses"
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(project.Root(), folder)
	}
	data, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil && !named {
		t.Skipf("no golden values: %v (EMBEDSPACE_GOLDEN_USES names their folder)", err)
	}
	if err == nil {
		err = json.Unmarshal(data, content)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A Number is a number of a golden file, where "inf" and "-inf" are strings, and null is NaN.
type Number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "null":
		*n = Number(math.NaN())
	case `"inf"`:
		*n = Number(math.Inf(1))
	case `"-inf"`:
		*n = Number(math.Inf(-1))
	default:
		return json.Unmarshal(data, (*float64)(n))
	}
	return nil
}

// Numbers are those of a list.
type Numbers []Number

// Floats returns the numbers.
func (n Numbers) Floats() []float64 {
	floats := make([]float64, len(n))
	for i, x := range n {
		floats[i] = float64(x)
	}
	return floats
}

// CheckNear fails unless all numbers are those that are wanted, within a tolerance that is
// absolute or relative. NaN is only near NaN, infinities only near themselves.
func CheckNear(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d numbers, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		same := got[i] == want[i] || math.IsNaN(got[i]) && math.IsNaN(want[i])
		if !same && !(math.Abs(got[i]-want[i]) <= tolerance*max(1, math.Abs(want[i])) && !math.IsInf(want[i], 0)) {
			t.Errorf("%s, number %d: got %v, want %v", what, i, got[i], want[i])
		}
	}
}
