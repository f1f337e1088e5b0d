package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// writePets makes a folder with 10 cats, 5 dogs and 2 newts, PNG files of one
// size and of different grays, and returns its path.
func writePets(t *testing.T, height, width int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	for i, class := range slices.Concat(slices.Repeat([]string{"cat"}, 10), slices.Repeat([]string{"dog"}, 5), slices.Repeat([]string{"newt"}, 2)) {
		write(t, pngOf(t, uniform(height, width, color.Gray{Y: byte(i)})), dir, class, fmt.Sprintf("%d.png", i))
	}
	return dir
}

func TestLoadNamedFolder(t *testing.T) {
	dir := writePets(t, 3, 5)
	var progress bytes.Buffer
	train, test, err := Load(t.Context(), "folder:"+dir, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := counts(train), []int{8, 4, 1}; !slices.Equal(got, want) {
		t.Errorf("training images per class %v, want %v", got, want)
	}
	if got, want := counts(test), []int{2, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("test images per class %v, want %v", got, want)
	}
	for _, d := range []*Dataset{train, test} {
		if err := d.Validate(); err != nil || d.Height != 3 || d.Width != 5 || d.Channels != 1 || !slices.Equal(d.ClassNames, []string{"cat", "dog", "newt"}) || d.Canonical || d.Checksum != d.ComputeChecksum() {
			t.Errorf("%dx%dx%d, %q, canonical %t, %v", d.Height, d.Width, d.Channels, d.ClassNames, d.Canonical, err)
		}
	}
	if train.Name != "pets[all but test 0.2, seed 1]" || test.Name != "pets[test 0.2, seed 1]" {
		t.Errorf("names %q and %q", train.Name, test.Name)
	}
	if got, want := progress.String(), "pets: reading 17 images of 3 classes as 3x5 pixels\npets: gray, 13 images to train and 4 to test (seed 1)\n"; got != want {
		t.Errorf("progress %q\nwant     %q", got, want)
	}

	// What a program does in two steps.
	all, err := LoadFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, held, err := all.HoldOut(0.2, 1); err != nil || held.Checksum != test.Checksum {
		t.Errorf("LoadFolder and HoldOut give another split: %v", err)
	}
}

// The same folder and seed give the same split, at each load and in a copy of the
// folder; another seed gives another.
func TestLoadNamedFolderSeed(t *testing.T) {
	dir := writePets(t, 2, 2)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.CopyFS(moved, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	checksums := func(name string) [2]string {
		train, test, err := Load(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return [2]string{train.Checksum, test.Checksum}
	}
	first := checksums("folder:" + dir)
	for _, same := range []string{dir, dir + "/", dir + ":seed=1", dir + ":test=0.2:seed=1", moved} {
		if checksums("folder:"+same) != first {
			t.Errorf("folder:%s has another split than folder:%s", same, dir)
		}
	}
	if checksums("folder:"+dir+":seed=2") == first {
		t.Error("two seeds give the same split")
	}
}

func TestLoadNamedFolderOptions(t *testing.T) {
	dir := writePets(t, 2, 2)
	train, test, err := Load(t.Context(), "folder:"+dir+":size=4x6:test=0.5", nil)
	if err != nil {
		t.Fatal(err)
	}
	if train.Height != 4 || train.Width != 6 || train.Channels != 1 {
		t.Errorf("images of %dx%dx%d, want 4x6x1", train.Height, train.Width, train.Channels)
	}
	if got, want := counts(test), []int{5, 3, 1}; !slices.Equal(got, want) { // half of 5 is rounded up
		t.Errorf("test images per class %v, want %v", got, want)
	}
}

// Images keep the size that they all have, if it is not large.
func TestLoadNamedFolderSize(t *testing.T) {
	for _, test := range []struct {
		name          string
		height, width int // of all images but one
		other         [2]int
		want          [2]int
	}{
		{"small", 28, 20, [2]int{28, 20}, [2]int{28, 20}},
		{"largest that is kept", 64, 64, [2]int{64, 64}, [2]int{64, 64}},
		{"too high", 65, 10, [2]int{65, 10}, [2]int{32, 32}},
		{"too wide", 10, 65, [2]int{10, 65}, [2]int{32, 32}},
		{"another height", 10, 12, [2]int{11, 12}, [2]int{32, 32}},
		{"another width", 10, 12, [2]int{10, 13}, [2]int{32, 32}},
	} {
		dir := writePets(t, test.height, test.width)
		write(t, pngOf(t, uniform(test.other[0], test.other[1], color.NRGBA{R: 200, A: 255})), dir, "newt", "z.png")
		train, held, err := Load(t.Context(), "folder:"+dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*Dataset{train, held} {
			if d.Height != test.want[0] || d.Width != test.want[1] || d.Channels != 3 || d.Validate() != nil {
				t.Errorf("%s: images of %dx%dx%d, want %v in RGB", test.name, d.Height, d.Width, d.Channels, test.want)
			}
		}
	}
}

// Reading that takes long says how far it is, and ends with its context.
func TestReadFolderProgress(t *testing.T) {
	defer func(old time.Duration) { readInterval = old }(readInterval)
	readInterval = 0
	var progress bytes.Buffer
	if _, _, err := Load(t.Context(), "folder:"+writePets(t, 2, 2), &progress); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(progress.String(), "\n"); !slices.Contains(lines, "pets: 16 of 17 images") {
		t.Errorf("progress %q", lines)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _, err := Load(ctx, "folder:"+writePets(t, 2, 2), writerFunc(func(line []byte) {
		if strings.Contains(string(line), "pets: 7 of 17") {
			cancel()
		}
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that ends after 7 images: %v", err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(b []byte) (int, error) { f(b); return len(b), nil }

func TestParseFolder(t *testing.T) {
	for _, test := range []struct {
		name string
		want namedFolder
	}{
		{"folder:pets", namedFolder{dir: "pets", testShare: 0.2, seed: 1}},
		{"folder:/a b/pets:seed=-7", namedFolder{dir: "/a b/pets", testShare: 0.2, seed: -7, splits: true}},
		{"folder:../12:30:size=8192x1:test=0.25:seed=3", namedFolder{dir: "../12:30", height: 8192, width: 1, testShare: 0.25, seed: 3, splits: true}},
		{"folder:a:b=c/pets", namedFolder{dir: "a:b=c/pets", testShare: 0.2, seed: 1}},
		{"folder:pets:skip=true", namedFolder{dir: "pets", testShare: 0.2, seed: 1, skip: true}},
		{"folder:seed=2", namedFolder{dir: "seed=2", testShare: 0.2, seed: 1}},
		{"folder:a:seed=2/", namedFolder{dir: "a:seed=2/", testShare: 0.2, seed: 1}},
	} {
		if got, err := parseFolder(test.name); err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v; want %+v", test.name, got, err, test.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range append(Names(), "folder:absent", "folder:a/b:seed=2", "idx:a:b/c") {
		if err := CheckName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	const sides = "; allowed: HEIGHTxWIDTH with 1 to 8192 pixels each"
	for name, want := range map[string]string{
		"":                      `unknown dataset ""; allowed: mnist`,
		"pets":                  `unknown dataset "pets"; allowed: mnist, fashion-mnist, cifar-10, cifar-100, cifar-100-coarse, mnist-sample, fashion-mnist-sample, folder:PATH, idx:PATH`,
		"idx:":                  `"idx:" names no file; allowed: idx:PATH, a folder of IDX files`,
		"folder":                `unknown dataset "folder"; allowed: mnist`,
		"folder:":               `"folder:" names no folder; allowed: folder:PATH[:size=HEIGHTxWIDTH][:test=SHARE][:seed=N][:skip=true]`,
		"folder::seed=2":        `"folder::seed=2" names no folder`,
		"folder:pets:sed=2":     `unknown option "sed" in "folder:pets:sed=2"; allowed: size, test, seed, skip`,
		"folder:pets:seed=":     `seed is "" in "folder:pets:seed="; allowed: whole numbers`,
		"folder:pets:seed=1.5":  `seed is "1.5" in "folder:pets:seed=1.5"; allowed: whole numbers`,
		"folder:pets:test=0":    `test is "0" in "folder:pets:test=0"; allowed: more than 0, less than 1`,
		"folder:pets:test=20 %": `test is "20 %" in `,
		"folder:pets:test=1":    `test is "1" in `,
		"folder:pets:skip=some": `skip is "some" in "folder:pets:skip=some"; allowed: true, false`,
		"folder:pets:test=NaN":  `test is "NaN" in `,
		"folder:pets:size=64":   `size is "64" in "folder:pets:size=64"` + sides,
		"folder:pets:size=0x64": `size is "0x64" in "folder:pets:size=0x64"` + sides,
		"folder:pets:size=8x8193:test=0.1": `size is "8x8193" in "folder:pets:size=8x8193:test=0.1"` +
			sides,
		"folder:pets:size=8x8x8": `size is "8x8x8" in "folder:pets:size=8x8x8"` + sides,
	} {
		err := CheckName(name)
		if err == nil || !strings.HasPrefix(err.Error(), "datasets: "+want) {
			t.Errorf("%q: got %v, want %q", name, err, want)
		}
		if _, _, loadErr := Load(t.Context(), name, nil); fmt.Sprint(loadErr) != fmt.Sprint(err) {
			t.Errorf("%q: Load says %v, CheckName %v", name, loadErr, err)
		}
		if errors.Is(err, ErrUnknown) == strings.Contains(name, ":") {
			t.Errorf("%q: ErrUnknown is %t", name, errors.Is(err, ErrUnknown))
		}
	}
}

func TestLoadNamedFolderErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pets.zip")
	write(t, nil, file)
	single := writePets(t, 2, 2)
	if err := os.Remove(filepath.Join(single, "newt", "16.png")); err != nil {
		t.Fatal(err)
	}
	broken := writePets(t, 2, 2)
	write(t, []byte("hello"), broken, "dog", "9.png")
	flat := filepath.Join(writePets(t, 2, 2), "cat")
	for name, want := range map[string]string{
		"absent": "open absent: no such file or directory; allowed: a folder with a folder of images for each class",
		file:     file + ": not a directory; allowed: a folder with a folder of images for each class",
		flat:     flat + " holds no folder; allowed: one for each class",
		single:   `pets: class "newt" has too few images, 1; allowed: 2 or more (one to train, one to test)`,
		broken:   filepath.Join(broken, "dog", "9.png") + ": a text",
	} {
		if _, _, err := Load(t.Context(), "folder:"+name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	if _, _, err := Load(t.Context(), "folder:absent", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent folder: %v is not os.ErrNotExist", err)
	}
}

// writePartition makes a folder with the pets of writePets in each of these folders, of another
// gray in each.
func writePartition(t *testing.T, folders ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pets")
	for k, folder := range folders {
		for i, class := range []string{"cat", "cat", "dog"} {
			write(t, pngOf(t, uniform(2, 2, color.Gray{Y: byte(10*k + i)})), dir, folder, class, fmt.Sprintf("%d.png", i))
		}
	}
	return dir
}

// Folders of training and of test images are the two parts.
func TestLoadPartition(t *testing.T) {
	for _, layout := range []struct {
		folders []string
		want    [2]string // the names of the parts
		line    string
	}{
		{[]string{"train", "test"}, [2]string{"pets[train]", "pets[test]"}, "pets: gray, 3 images to train and 3 to test (folders train and test)\n"},
		{[]string{"Training", "valid"}, [2]string{"pets[Training]", "pets[valid]"}, "(folders Training and valid)\n"},
		{[]string{"train", "test", "val"}, [2]string{"pets[train]", "pets[test]"}, "(folders train and test; not read: val)\n"},
	} {
		var progress bytes.Buffer
		train, test, err := Load(t.Context(), "folder:"+writePartition(t, layout.folders...), &progress)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{train.Name, test.Name}; got != layout.want || !strings.HasSuffix(progress.String(), layout.line) {
			t.Errorf("%q: parts %q, progress %q", layout.folders, got, progress.String())
		}
		if train.At(2)[0] != 2 || test.At(0)[0] != 10 || !slices.Equal(train.Labels, []int32{0, 0, 1}) || !slices.Equal(test.Labels, train.Labels) || !slices.Equal(test.ClassNames, []string{"cat", "dog"}) {
			t.Errorf("%q: training images %v, test images %v", layout.folders, train.Images, test.Images)
		}
	}

	// Size and colour are those of both parts.
	dir := writePartition(t, "train", "test")
	write(t, pngOf(t, uniform(3, 2, color.NRGBA{R: 200, A: 255})), dir, "test", "dog", "red.png")
	train, test, err := Load(t.Context(), "folder:"+dir, nil)
	if err != nil || train.Height != scaledSide || train.Channels != 3 || test.Channels != 3 {
		t.Errorf("%v, %v", train, err)
	}

	// What is skipped in one part does not move images into the other.
	write(t, []byte("hello"), dir, "train", "cat", "note.txt")
	write(t, []byte("hello"), dir, "test", "cat", "note.txt")
	if train, test, err = Load(t.Context(), "folder:"+dir+":skip=true:size=2x2", nil); err != nil || train.Len() != 3 || test.Len() != 4 || test.At(0)[0] != 10 {
		t.Errorf("with files that are skipped: %v", err)
	}
}

func TestLoadPartitionErrors(t *testing.T) {
	dir := writePartition(t, "train", "test")
	if _, err := LoadFolder(dir, FolderOptions{}); err == nil || !strings.Contains(err.Error(), dir+" holds training and test images, in train and test; allowed: one of the two, or Load") {
		t.Errorf("LoadFolder: %v", err)
	}
	if d, err := LoadFolder(filepath.Join(dir, "train"), FolderOptions{}); err != nil || d.Len() != 3 {
		t.Errorf("LoadFolder of one part: %v", err)
	}
	if _, _, err := Load(t.Context(), "folder:"+dir+":seed=2", nil); err == nil || !strings.Contains(err.Error(), "test or seed with "+dir) {
		t.Errorf("a seed: %v", err)
	}
	write(t, pngOf(t, uniform(2, 2, color.White)), dir, "test", "owl", "1.png")
	if _, _, err := Load(t.Context(), "folder:"+dir, nil); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "test")+` has the classes ["cat" "dog" "owl"]; allowed: those of the training images, ["cat" "dog"]`) {
		t.Errorf("other classes: %v", err)
	}
	os.RemoveAll(filepath.Join(dir, "test", "owl"))
	for i := range 2 {
		write(t, []byte("hello"), dir, "test", "cat", fmt.Sprint(i, ".png"))
	}
	if _, _, err := Load(t.Context(), "folder:"+dir+":skip=true", nil); err == nil || !strings.Contains(err.Error(), `class "cat" holds no image`) {
		t.Errorf("a class without test images: %v", err)
	}
	// A class may have the name of a part.
	vehicles := writePartition(t, "x")
	os.Rename(filepath.Join(vehicles, "x", "dog"), filepath.Join(vehicles, "x", "train"))
	if _, _, err := Load(t.Context(), "folder:"+filepath.Join(vehicles, "x")+":test=0.5", nil); err == nil || !strings.Contains(err.Error(), `class "train" has too few images, 1`) {
		t.Errorf("a class of trains: %v", err)
	}
}

// Images are found in folders in a class folder, in the order of all names.
func TestLoadNested(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pets")
	for i, file := range []string{"cat/a.png", "cat/b/c/1.png", "cat/b/d.png", "cat/e.png", "dog/x/y/1.png"} {
		write(t, pngOf(t, uniform(1, 1, color.Gray{Y: byte(i)})), dir, filepath.FromSlash(file))
	}
	d, err := LoadFolder(dir, FolderOptions{})
	if err != nil || !bytes.Equal(d.Images, []byte{0, 1, 2, 3, 4}) || !slices.Equal(d.Labels, []int32{0, 0, 0, 0, 1}) {
		t.Errorf("%v, %v", d, err)
	}

	_, err = LoadFolder(filepath.Dir(dir), FolderOptions{})
	if err == nil || !strings.Contains(err.Error(), "holds one folder, whose images are in folders again; allowed: one for each class, as it may be in "+dir) {
		t.Errorf("a level too high: %v", err)
	}

	if err := os.Symlink(filepath.Join(dir, "dog"), filepath.Join(dir, "cat", "z")); err != nil {
		t.Fatal(err)
	}
	if d, err = LoadFolder(dir, FolderOptions{}); err != nil || !bytes.Equal(d.Images, []byte{0, 1, 2, 3, 4, 4}) {
		t.Errorf("a link to a folder: %v, %v", d, err)
	}
	if err := os.Symlink(filepath.Join(dir, "cat"), filepath.Join(dir, "cat", "b", "z")); err != nil {
		t.Fatal(err)
	}
	if _, err = LoadFolder(dir, FolderOptions{}); err == nil || !strings.Contains(err.Error(), filepath.Join("cat", "b", "z")+" links to a folder that it is in") {
		t.Errorf("a link to a folder above: %v", err)
	}
}
