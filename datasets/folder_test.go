package datasets

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// grayImage has these rows.
func grayImage(rows ...[]byte) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, len(rows[0]), len(rows)))
	for y, row := range rows {
		copy(img.Pix[y*img.Stride:], row)
	}
	return img
}

// uniform has one colour.
func uniform(height, width int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, c)
		}
	}
	return img
}

func TestLoadFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pets")
	write(t, pngOf(t, grayImage([]byte{1, 2, 3}, []byte{4, 5, 6})), dir, "dog", "b.PNG")
	write(t, jpegOf(t, uniform(2, 3, color.Gray{Y: 200})), dir, "cat", "x.jpeg")
	write(t, pngOf(t, uniform(2, 3, color.NRGBA{R: 255, A: 255})), dir, "cat", "y.png")
	write(t, pngOf(t, grayImage([]byte{9, 8, 7}, []byte{6, 5, 4})), dir, "dog", "a.png")
	write(t, []byte("no class"), dir, "README.txt")
	write(t, []byte("no image"), dir, "cat", ".DS_Store")
	write(t, []byte("no class"), dir, ".git", "config")

	gray, err := LoadFolder(dir, FolderOptions{Channels: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Pure red has the luma 0.299*255 = 76.2.
	want := slices.Concat(slices.Repeat([]byte{200}, 6), slices.Repeat([]byte{76}, 6), []byte{9, 8, 7, 6, 5, 4}, []byte{1, 2, 3, 4, 5, 6})
	if !bytes.Equal(gray.Images, want) || !slices.Equal(gray.Labels, []int32{0, 0, 1, 1}) {
		t.Errorf("images %v\nwant   %v\nlabels %v", gray.Images, want, gray.Labels)
	}
	if gray.Name != "pets" || gray.Height != 2 || gray.Width != 3 || gray.Channels != 1 || !slices.Equal(gray.ClassNames, []string{"cat", "dog"}) || gray.Canonical || gray.Checksum != gray.ComputeChecksum() {
		t.Errorf("%q %dx%dx%d %q, canonical %t", gray.Name, gray.Height, gray.Width, gray.Channels, gray.ClassNames, gray.Canonical)
	}
	if err := gray.Validate(); err != nil {
		t.Error(err)
	}

	rgb, err := LoadFolder(dir, FolderOptions{Height: 2, Width: 3, Channels: 3})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(rgb.At(1), slices.Repeat([]byte{255, 0, 0}, 6)) || !bytes.Equal(rgb.At(2)[:6], []byte{9, 9, 9, 8, 8, 8}) {
		t.Errorf("red image %v, gray image %v", rgb.At(1), rgb.At(2))
	}
}

// Without Channels, the images are gray if all of their pixels are.
func TestLoadFolderChannels(t *testing.T) {
	dir := t.TempDir()
	write(t, pngOf(t, grayImage([]byte{0, 1, 127}, []byte{128, 254, 255})), dir, "x", "1.png")
	write(t, jpegOf(t, uniform(2, 3, color.Gray{Y: 200})), dir, "x", "2.jpg")
	write(t, pngOf(t, uniform(2, 3, color.NRGBA{R: 9, G: 9, B: 9, A: 255})), dir, "y", "3.png")
	found, err := LoadFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	gray, err := LoadFolder(dir, FolderOptions{Channels: 1})
	if err != nil {
		t.Fatal(err)
	}
	if found.Channels != 1 || found.Validate() != nil || !bytes.Equal(found.At(0), []byte{0, 1, 127, 128, 254, 255}) || found.Checksum != gray.Checksum {
		t.Errorf("gray images: %d channels, %v, %v", found.Channels, found.Images, found.Validate())
	}
	almost := uniform(2, 3, color.NRGBA{R: 9, G: 9, B: 9, A: 255}).(*image.NRGBA)
	almost.Pix[4*5+2] = 10
	write(t, pngOf(t, almost), dir, "y", "4.png")
	if found, err = LoadFolder(dir, FolderOptions{}); err != nil || found.Channels != 3 || found.Validate() != nil || !bytes.Equal(found.At(3)[15:], []byte{9, 9, 10}) {
		t.Errorf("one pixel with a colour: %d channels, %v", found.Channels, err)
	}
}

func TestLoadFolderResize(t *testing.T) {
	dir := t.TempDir()
	write(t, pngOf(t, grayImage([]byte{0, 0}, []byte{0, 0})), dir, "x", "1.png")
	// Left half black, right half white, at another size and aspect ratio.
	large := image.NewGray(image.Rect(0, 0, 64, 32))
	for p := range large.Pix {
		if p%64 >= 32 {
			large.Pix[p] = 255
		}
	}
	write(t, pngOf(t, large), dir, "x", "2.png")
	// Fine stripes: a scaling that only picked pixels would give 0 or 255.
	stripes := image.NewGray(image.Rect(0, 0, 64, 64))
	for p := range stripes.Pix {
		stripes.Pix[p] = byte(p % 2 * 255)
	}
	write(t, pngOf(t, stripes), dir, "x", "3.png")
	write(t, pngOf(t, uniform(1, 1, color.Gray{Y: 50})), dir, "x", "4.png")
	write(t, pngOf(t, uniform(9, 9, color.NRGBA{})), dir, "x", "5.png")

	if _, err := LoadFolder(dir, FolderOptions{Channels: 1}); err == nil || !strings.Contains(err.Error(), "2.png has 32 x 64 pixels (height x width); allowed: 2 x 2, or another size with FolderOptions.Resize") {
		t.Errorf("without Resize: %v", err)
	}
	d, err := LoadFolder(dir, FolderOptions{Channels: 1, Resize: true})
	if err != nil {
		t.Fatal(err)
	}
	if d.Height != 2 || d.Width != 2 || d.Len() != 5 {
		t.Fatalf("%d images of %dx%d, want 5 of 2x2", d.Len(), d.Height, d.Width)
	}
	// With the Catmull-Rom kernel k stretched to the new pixels, the white half
	// has a share of the left pixel of int(k, 0.5..1.5) / int(k, -0.5..1.5) =
	// 0.0938 / 0.9323 = 0.1006; 255 * 0.1006 = 25.6.
	if got := d.At(1); got[0] < 25 || got[0] > 26 || got[1] < 229 || got[1] > 230 || got[2] != got[0] || got[3] != got[1] {
		t.Errorf("half black, half white became %v, want about [25.6 229.4 25.6 229.4]", got)
	}
	for _, gray := range d.At(2) {
		if gray < 122 || gray > 133 {
			t.Errorf("stripes became %v, want about 127", d.At(2))
			break
		}
	}
	if !bytes.Equal(d.At(3), []byte{50, 50, 50, 50}) || !bytes.Equal(d.At(4), []byte{0, 0, 0, 0}) {
		t.Errorf("one pixel became %v, transparency %v", d.At(3), d.At(4))
	}
}

func TestLoadFolderErrors(t *testing.T) {
	valid := pngOf(t, grayImage([]byte{1, 2}, []byte{3, 4}))
	huge := slices.Clone(valid)
	huge[16] = 0x10 // the width in the header chunk; its checksum is not right any more
	for _, test := range []struct {
		name string
		make func(dir string)
		opts FolderOptions
		want string
	}{
		{"channels", func(string) {}, FolderOptions{Channels: 2}, "Channels is 2; allowed: 1 (gray), 3"},
		{"negative", func(string) {}, FolderOptions{Height: -1, Width: 4, Channels: 1}, "are -1 and 4; allowed: both 1 to 8192, or both 0"},
		{"one side", func(string) {}, FolderOptions{Height: 4, Channels: 1}, "are 4 and 0; allowed: both 1 to 8192, or both 0"},
		{"empty", func(string) {}, FolderOptions{Channels: 1}, "holds no folder; allowed: one for each class"},
		{"empty class", func(dir string) { os.Mkdir(filepath.Join(dir, "x"), 0o755) }, FolderOptions{Channels: 1}, `class "x" holds no image; allowed: at least one for each class`},
		{"not an image", func(dir string) { write(t, []byte("hello"), dir, "x", "1.png") }, FolderOptions{Channels: 1}, filepath.Join("x", "1.png") + ": a text"},
		{"cut", func(dir string) { write(t, valid[:len(valid)-20], dir, "x", "1.png") }, FolderOptions{Channels: 1}, filepath.Join("x", "1.png") + ": "},
		{"damaged header", func(dir string) { write(t, huge, dir, "x", "1.png") }, FolderOptions{Channels: 1}, filepath.Join("x", "1.png") + ": png: invalid format: invalid checksum"},
		{"huge", func(dir string) {
			write(t, pngOf(t, image.NewGray(image.Rect(0, 0, 8193, 1))), dir, "x", "1.png")
		}, FolderOptions{Channels: 1, Resize: true}, "1.png: 1 x 8193 pixels (height x width); allowed: 1 to 8192 each"},
	} {
		dir := t.TempDir()
		test.make(dir)
		if _, err := LoadFolder(dir, test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.want)
		}
	}
	absent := filepath.Join(t.TempDir(), "absent")
	if _, err := LoadFolder(absent, FolderOptions{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), absent+": no such file or directory; allowed: a folder with a folder of images for each class") {
		t.Errorf("an absent folder: %v", err)
	}
	write(t, valid, absent)
	if _, err := LoadFolder(absent, FolderOptions{}); err == nil || !strings.Contains(err.Error(), absent+": not a directory; allowed: a folder") {
		t.Errorf("a file: %v", err)
	}
}

// Files that are no images are named all at once, or skipped and counted.
func TestLoadFolderSkip(t *testing.T) {
	dir := writePets(t, 2, 3)
	write(t, []byte("Cats, 2019"), dir, "cat", "README")
	write(t, []byte("file,label\n"), dir, "cat", "labels.csv")
	for i := range 9 {
		write(t, pngOf(t, uniform(2, 3, color.White))[:40], dir, "dog", fmt.Sprintf("cut%d.png", i))
	}
	write(t, nil, dir, "newt", "empty.jpg")

	_, err := LoadFolder(dir, FolderOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if want := "datasets: pets: 12 of 29 files are no images that can be decoded; allowed: PNG, JPEG, GIF, BMP, TIFF, WebP, or FolderOptions.Skip, on the command line -skip, which leaves them out:"; lines[0] != want {
		t.Errorf("got  %s\nwant %s", lines[0], want)
	}
	if len(lines) != 12 || lines[1] != "  "+filepath.Join(dir, "cat", "README")+": a text" || lines[11] != "  and 2 more" || !strings.Contains(lines[10], "cut7.png: unexpected EOF") {
		t.Errorf("the files are\n%s", strings.Join(lines[1:], "\n"))
	}

	skipped, err := LoadFolder(dir, FolderOptions{Skip: true})
	if err != nil {
		t.Fatal(err)
	}
	clean, err := LoadFolder(writePets(t, 2, 3), FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if skipped.Name != clean.Name || skipped.Len() != 17 || skipped.Checksum != clean.Checksum || skipped.Checksum != skipped.ComputeChecksum() {
		t.Errorf("%s, %d images, another dataset than without the files that are skipped", skipped.Name, skipped.Len())
	}

	var progress bytes.Buffer
	train, test, err := Load(t.Context(), "folder:"+dir+":skip=true", &progress)
	if err != nil || train.Len()+test.Len() != 17 {
		t.Errorf("skip=true: %v", err)
	}
	if !strings.Contains(progress.String(), "pets: skipped 12 of 29 files, no images that can be decoded:\n  "+filepath.Join(dir, "cat", "README")) {
		t.Errorf("progress %q", progress.String())
	}

	// A file that can't be read is an error all the same, and so is a class that ends up empty.
	if err := os.Symlink(filepath.Join(dir, "absent"), filepath.Join(dir, "dog", "link.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFolder(dir, FolderOptions{Skip: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a broken link: %v", err)
	}
	os.Remove(filepath.Join(dir, "dog", "link.png"))
	write(t, []byte("hello"), dir, "owl", "1.png")
	if _, err := LoadFolder(dir, FolderOptions{Skip: true}); err == nil || !strings.Contains(err.Error(), `class "owl" holds no image`) {
		t.Errorf("a class without an image that is decoded: %v", err)
	}
}

// What systems and archives leave is skipped and counted.
func TestLoadFolderLeftovers(t *testing.T) {
	dir := writePets(t, 2, 3)
	write(t, []byte("x"), dir, "__MACOSX", "cat", "._1.png")
	write(t, []byte("x"), dir, "cat", "Thumbs.db")
	write(t, []byte("x"), dir, "cat", "Desktop.ini")
	write(t, []byte("x"), dir, "dog", ".DS_Store")
	write(t, []byte("x"), dir, "dog", "@eaDir", "1.png")
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	train, test, err := Load(t.Context(), "folder:"+dir, &progress)
	if err != nil || train.Len()+test.Len() != 17 || train.Classes() != 3 {
		t.Fatal(err)
	}
	if want := "pets: skipped 6 files or folders that systems and archives leave, such as __MACOSX\n"; !strings.HasPrefix(progress.String(), want) {
		t.Errorf("progress %q, want it to begin with %q", progress.String(), want)
	}
}

// Files are decoded by content, whatever their names.
func TestLoadFolderFormats(t *testing.T) {
	picture := uniform(4, 4, color.NRGBA{R: 255, A: 255}).(*image.NRGBA)
	picture.Set(3, 0, color.NRGBA{B: 255, A: 255})
	encode := func(encode func(io.Writer, image.Image) error) []byte {
		var b bytes.Buffer
		if err := encode(&b, picture); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	dir := t.TempDir()
	write(t, encode(bmp.Encode), dir, "x", "1.bmp")
	write(t, encode(func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) }), dir, "x", "2.gif")
	write(t, encode(png.Encode), dir, "x", "3.jpg")
	write(t, encode(func(w io.Writer, m image.Image) error { return tiff.Encode(w, m, nil) }), dir, "x", "4")
	d, err := LoadFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Len() {
		if d.Image(i).At(3, 0) != picture.At(3, 0) || d.Image(i).At(0, 3) != picture.At(0, 3) {
			t.Errorf("image %d: pixels %v and %v", i, d.Image(i).At(3, 0), d.Image(i).At(0, 3))
		}
	}

	// WebP, which Go can't write: one white pixel, lossless.
	write(t, []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"), dir, "x", "5.webp")
	if d, err = LoadFolder(dir, FolderOptions{Resize: true}); err != nil || d.Len() != 5 || d.Image(4).At(0, 0) != d.Image(4).At(3, 3) {
		t.Errorf("WebP: %v", err)
	}
}

// The first frame of a GIF may be a part of its image.
func TestLoadFolderGIFFrame(t *testing.T) {
	frame := image.NewPaletted(image.Rect(1, 1, 3, 2), color.Palette{color.White, color.Black})
	other := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, other}, Delay: []int{1, 1}, Config: image.Config{Width: 4, Height: 4}}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, b.Bytes(), dir, "x", "1.gif")
	d, err := LoadFolder(dir, FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0}; !bytes.Equal(d.Images, want) {
		t.Errorf("got  %v\nwant %v", d.Images, want)
	}
}

// A file that is no image is called what it is.
func TestLoadFolderContent(t *testing.T) {
	for content, want := range map[string]string{
		"":                                  "an empty file",
		"hello\n":                           "a text",
		"<!DOCTYPE html><title>404</title>": "an HTML page",
		"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12345\n": "a Git LFS pointer",
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic":                          "HEIC: convert it",
		"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1":                          "AVIF: convert it",
		"%PDF-1.7\n":                       "application/pdf",
		"\x01\x02\x03\xff\xfe\x00\x01\x02": "an unknown format",
	} {
		dir := t.TempDir()
		write(t, []byte(content), dir, "x", "1.jpg")
		if _, err := LoadFolder(dir, FolderOptions{}); err == nil || !strings.Contains(err.Error(), filepath.Join("x", "1.jpg")+": "+want) {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
	}
}
