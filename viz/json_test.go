package viz

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// notInJSON lists the fields of a Scatter that its JSON leaves out: the arrays, which
// are stored beside it, and the function.
var notInJSON = []string{"Points", "Labels", "Unknown", "ClassVectors", "Targets", "Arrows", "Regions"}

// fill gives v a value that is not zero, and in the same way every field below it that
// is not in notInJSON. The values differ from each other, by n.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.String:
		v.SetString(string(rune('a' + *n%26)))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Interface: // a Panel
		scatter := reflect.New(reflect.TypeFor[Scatter]()).Elem()
		fill(t, scatter, n)
		v.Set(scatter)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Struct:
		for field, value := range v.Fields() {
			if v.Type() != reflect.TypeFor[Scatter]() || !slices.Contains(notInJSON, field.Name) {
				fill(t, value, n)
			}
		}
	default:
		t.Fatalf("fill can't set a %s: add its kind, or the field to notInJSON", v.Type())
	}
}

// roundTrip returns the figure that is read from the JSON of another.
func roundTrip(t *testing.T, f *Figure) *Figure {
	t.Helper()
	encoded, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	read := new(Figure)
	if err := json.Unmarshal(encoded, read); err != nil {
		t.Fatalf("%s: %v", encoded, err)
	}
	return read
}

// A new field is either in the JSON or in notInJSON.
func TestJSONHasEveryField(t *testing.T) {
	f, n := new(Figure), 0
	fill(t, reflect.ValueOf(f).Elem(), &n)
	if read := roundTrip(t, f); !reflect.DeepEqual(read, f) {
		t.Errorf("%+v comes back as %+v: a new field needs a key, or a place in notInJSON", f, read)
	}
	for _, name := range notInJSON {
		field, ok := reflect.TypeFor[Scatter]().FieldByName(name)
		if !ok || field.Tag.Get("json") != "-" {
			t.Errorf("field %s is listed in notInJSON, but it has the tag %q", name, field.Tag)
		}
	}
}

// Stored figures have these keys.
func TestJSONKeys(t *testing.T) {
	const encoded = `{"title":"T","columns":2,"row_labels":null,"column_labels":["a","b"],"panels":[` +
		`{"title":"P","note":"N","dim":3,"class_names":["0","1"],"sphere":true,"camera":{"azimuth":0,"elevation":90}},` +
		`{"title":"","note":"","dim":0,"class_names":null,"sphere":false,"missing":"not trained yet"}]}`
	want := Figure{
		Title: "T", Columns: 2, ColumnLabels: []string{"a", "b"},
		Panels: []Panel{
			Scatter{Title: "P", Note: "N", Dim: 3, ClassNames: []string{"0", "1"}, Sphere: true, Camera: &Camera{Elevation: 90}},
			Scatter{Missing: "not trained yet"},
		},
	}
	var read Figure
	if err := json.Unmarshal([]byte(encoded), &read); err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("read %+v, want %+v, error %v", read, want, err)
	}
	if written, err := json.Marshal(want); err != nil || string(written) != encoded {
		t.Errorf("written %s, want %s, error %v", written, encoded, err)
	}
}

func TestJSONRefuses(t *testing.T) {
	_, err := json.Marshal(NewFigure(blobs(9, 2, 2, 1), Curves{}))
	if !errors.Is(err, ErrPanel) || !strings.Contains(err.Error(), "panel 1 is a viz.Curves") {
		t.Errorf("error %v", err)
	}
}

// With its arrays back, a figure from JSON gives the same picture.
func TestJSONRoundTrip(t *testing.T) {
	fromAbove := blobs(200, 3, 3, 1)
	fromAbove.Title, fromAbove.Note, fromAbove.Camera = "Cube", "from above", &Camera{Azimuth: 30, Elevation: 70}
	projected := fromAbove.Projected()
	projected.Camera = &Camera{} // not the default
	f := &Figure{
		Title: "Cameras", Columns: 2, RowLabels: []string{"seen", "unseen"}, ColumnLabels: []string{"cube", "sphere"},
		Panels: []Panel{fromAbove, projected, blobs(50, 2, 2, 1), Scatter{Missing: "not trained yet"}},
	}
	read := roundTrip(t, f)
	for i := range read.Panels {
		s := read.Panels[i].(Scatter)
		s.Points, s.Labels = f.Panels[i].(Scatter).Points, f.Panels[i].(Scatter).Labels
		read.Panels[i] = s
	}
	if !reflect.DeepEqual(read, f) {
		t.Fatalf("%+v comes back as %+v", f, read)
	}
	if !bytes.Equal(writePNG(t, read), writePNG(t, f)) {
		t.Error("the pictures differ")
	}
}
