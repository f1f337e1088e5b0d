package course

import (
	"slices"
	"testing"

	"github.com/embedspace/embedspace/datasets"
	"github.com/embedspace/embedspace/embed"
)

// TestNinePoints: they are three of each class, and every technique drives some of them.
func TestNinePoints(t *testing.T) {
	points := NinePoints()
	if err := points.Check("nine"); err != nil {
		t.Fatal(err)
	}
	counts := map[int32]int{}
	for _, label := range points.Labels {
		counts[label]++
	}
	for class := range int32(3) {
		if counts[class] != 3 {
			t.Errorf("%d points of class %d, want 3", counts[class], class)
		}
	}
	for _, technique := range embed.Techniques() {
		d, err := embed.LossAt(embed.Config{Technique: technique.ID}, points, nil)
		if err != nil {
			t.Fatal(err)
		}
		moved := false
		for _, x := range d.Direction {
			moved = moved || x != 0
		}
		if !moved {
			t.Errorf("%s drives no point", technique.ID)
		}
	}
}

// TestTrainReuses: the second training is the result of the first.
func TestTrainReuses(t *testing.T) {
	t.Setenv(embed.FolderEnv, t.TempDir())
	cfg := embed.Config{Train: 128, Epochs: 1, Backend: "go"}
	first, again := Train(cfg), Train(cfg)
	if first.Seconds() != again.Seconds() || first.History[0].Loss != again.History[0].Loss {
		t.Errorf("trained twice: %v and %v seconds", first.Seconds(), again.Seconds())
	}
}

// TestTrainKnown: it knows the classes of its split, and has a folder of its own.
func TestTrainKnown(t *testing.T) {
	t.Setenv(embed.FolderEnv, t.TempDir())
	cfg := embed.Config{Train: 128, Epochs: 1, Backend: "go"}
	first, second := TrainKnown(cfg, 1), TrainKnown(cfg, 2)
	for split, result := range []*embed.Result{first, second} {
		images := Split("mnist-sample", split+1)
		if !slices.Equal(result.ClassNames, images.Train.ClassNames) || result.Test.Len() != images.Test.Len() {
			t.Errorf("split %d: %d test images of %v, want %d of %v", split+1, result.Test.Len(), result.ClassNames, images.Test.Len(), images.Train.ClassNames)
		}
	}
	if again := TrainKnown(cfg, 1); again.Seconds() != first.Seconds() {
		t.Errorf("trained twice: %v and %v seconds", first.Seconds(), again.Seconds())
	}
}

// TestImages: a class with fewer images leaves its places empty.
func TestImages(t *testing.T) {
	test := &datasets.Dataset{Name: "few", Height: 1, Width: 1, Channels: 1, Images: []byte{1, 2, 3}, Labels: []int32{0, 0, 1}, ClassNames: []string{"a", "b"}}
	tiles := images(test, 2).Tiles
	if len(tiles) != 4 || tiles[2].Image == nil || tiles[3].Image != nil {
		t.Errorf("tiles are %v", tiles)
	}
}
