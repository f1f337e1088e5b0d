package viz

import "testing"

func TestLegend(t *testing.T) {
	digits, fashion := blobs(20, 2, 2, 1), blobs(20, 2, 2, 1)
	fashion.ClassNames = []string{"Coat", "Bag"}
	fashion.Targets = make([]float32, 4)
	occurrences := func(f *Figure, text string) (n int) {
		lay := newLayout(t, f)
		for _, item := range lay.legend.items {
			if item.text == text {
				n++
			}
		}
		return n
	}
	f := NewFigure(digits, digits, fashion)
	for text, want := range map[string]int{"0": 1, "1": 1, "Coat": 1, "Bag": 1, "target": 1, "class vector": 0} {
		if n := occurrences(f, text); n != want {
			t.Errorf("%q is %d times in the legend, want %d", text, n, want)
		}
	}
	three := blobs(20, 3, 2, 1)
	if f := NewFigure(digits, three); occurrences(f, "0") != 1 || occurrences(f, "2") != 1 {
		t.Error("classes 0 and 1 of two panels are listed for each of them")
	}
	if f := NewFigure(blobs(20, 101, 2, 1)); occurrences(f, "101 classes") != 1 || occurrences(f, "0") != 0 {
		t.Error("101 classes are listed")
	}
	unknown := blobs(20, 101, 2, 1)
	unknown.Unknown = []float32{0, 0}
	face := regular(legendTextSize)
	if items := newLayout(t, NewFigure(unknown)).legend.items; items[1].at.X < face.Width(items[0].text)+legendGap {
		t.Errorf("%q begins where %q ends", items[1].text, items[0].text)
	}
	if f := NewFigure(digits, blobs(20, 101, 2, 1)); occurrences(f, "101 classes") != 1 || occurrences(f, "0") != 1 {
		t.Error("two classes beside 101 are not listed")
	}
}
