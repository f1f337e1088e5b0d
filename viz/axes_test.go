package viz

import (
	"strings"
	"testing"
)

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{-1, 1, 4, "−1.0 −0.5 0.0 0.5 1.0"},
		{-230, 210, 4, "−200 −100 0 100 200"},
		{0.21, 0.29, 3, "0.22 0.24 0.26 0.28"},
		{0, 3e6, 3, "0 1e+06 2e+06 3e+06"},
		{100_000.1, 100_002.1, 3, "100000.5 100001 100001.5 100002"},
		{-2e-9, 2e-9, 4, "−2e−09 −1e−09 0 1e−09 2e−09"},
		{1e16, 1e16 + 4, 4, "10000000000000000 10000000000000000 10000000000000002 10000000000000004 10000000000000004 10000000000000004"},
	} {
		values, format := ticks(test.lo, test.hi, test.n)
		var texts []string
		for _, value := range values {
			texts = append(texts, format(value))
		}
		if got := strings.Join(texts, " "); got != test.want {
			t.Errorf("ticks in [%g, %g]: %s, want %s", test.lo, test.hi, got, test.want)
		}
	}
}
