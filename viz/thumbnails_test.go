package viz

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"testing"
)

// TestThumbnails: the pixels of the images are in the picture, and the frames.
func TestThumbnails(t *testing.T) {
	img := image.NewRGBA(image.Rect(3, 3, 5, 5))
	img.Set(3, 3, color.RGBA{1, 2, 3, 255})
	thumbnails := Thumbnails{Title: "two", Images: []image.Image{img, img}, Labels: []int32{0, 1}, Captions: []string{"a", "b"}}
	encoded, err := thumbnails.png()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[color.Color]int{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			counts[color.RGBAModel.Convert(picture.At(x, y))]++
		}
	}
	for _, clr := range []color.RGBA{{1, 2, 3, 255}, Color(0), Color(1)} {
		if counts[clr] < 100 {
			t.Errorf("%d pixels of %v, want 100 or more", counts[clr], clr)
		}
	}
	for _, c := range []struct {
		bad  Thumbnails
		want error
	}{
		{Thumbnails{}, ErrEmpty},
		{Thumbnails{Images: []image.Image{nil}}, ErrEmpty},
		{Thumbnails{Images: thumbnails.Images, Labels: []int32{1}}, ErrLength},
		{Thumbnails{Images: thumbnails.Images, Labels: []int32{1, -1}}, ErrLabel},
		{Thumbnails{Images: thumbnails.Images, Captions: []string{"a"}}, ErrLength},
		{Thumbnails{Images: thumbnails.Images, Columns: -1}, ErrColumns},
	} {
		if _, err := c.bad.png(); !errors.Is(err, c.want) {
			t.Errorf("got %v, want %v", err, c.want)
		}
	}
}

// TestCurvesAtPlaces: lines have their own places, as many as values, all finite.
func TestCurvesAtPlaces(t *testing.T) {
	curves := func(x ...float64) *Curves {
		return &Curves{Lines: []Line{{Name: "a", Values: []float64{1, 2, 3}, X: x}}}
	}
	at, err := curves(0, 90, 180).png()
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := curves().png(); err != nil || bytes.Equal(plain, at) {
		t.Errorf("the places are not in the picture (%v)", err)
	}
	if _, err := curves(1, 2).png(); !errors.Is(err, ErrLength) {
		t.Errorf("got %v, want ErrLength", err)
	}
	zero := 0.
	if _, err := curves(1, 2, 1/zero).png(); !errors.Is(err, ErrNotFinite) {
		t.Errorf("got %v, want ErrNotFinite", err)
	}
}
