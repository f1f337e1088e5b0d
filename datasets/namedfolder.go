package datasets

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

const (
	// folderPrefix begins the name of a folder of own images.
	folderPrefix = "folder:"
	folderForm   = "folder:PATH[:size=HEIGHTxWIDTH][:test=SHARE][:seed=N][:skip=true]"

	defaultTestShare = 0.2
	defaultSplitSeed = 1

	// See Load for these sizes.
	keptSide   = 64
	scaledSide = 32
)

// A namedFolder is what the name of a folder of own images says.
type namedFolder struct {
	dir           string
	height, width int // both zero: see imageFolder.defaultSize
	testShare     float64
	seed          int64
	splits        bool // the name has testShare or seed
	skip          bool
}

// parseFolder takes a name apart that begins with folderPrefix. Its options are
// the last parts between colons that have an equals sign and no slash.
func parseFolder(name string) (namedFolder, error) {
	parts := strings.Split(strings.TrimPrefix(name, folderPrefix), ":")
	end := len(parts)
	for end > 1 && strings.Contains(parts[end-1], "=") && !strings.Contains(parts[end-1], "/") {
		end--
	}
	folder := namedFolder{dir: strings.Join(parts[:end], ":"), testShare: defaultTestShare, seed: defaultSplitSeed}
	if folder.dir == "" {
		return folder, fmt.Errorf("datasets: %q names no folder; allowed: %s", name, folderForm)
	}
	for _, part := range parts[end:] {
		option, value, _ := strings.Cut(part, "=")
		var ok bool
		var allowed string
		switch option {
		case "size":
			height, width, _ := strings.Cut(value, "x")
			var errHeight, errWidth error
			folder.height, errHeight = strconv.Atoi(height)
			folder.width, errWidth = strconv.Atoi(width)
			ok = errHeight == nil && errWidth == nil && validSide(folder.height) && validSide(folder.width)
			allowed = fmt.Sprintf("HEIGHTxWIDTH with 1 to %d pixels each", maxSide)
		case "test":
			var err error
			folder.testShare, err = strconv.ParseFloat(value, 64)
			ok = err == nil && validShare(folder.testShare)
			folder.splits = true
			allowed = "more than 0, less than 1"
		case "seed":
			var err error
			folder.seed, err = strconv.ParseInt(value, 10, 64)
			ok = err == nil
			folder.splits = true
			allowed = "whole numbers"
		case "skip":
			var err error
			folder.skip, err = strconv.ParseBool(value)
			ok = err == nil
			allowed = "true, false"
		default:
			return folder, fmt.Errorf("datasets: unknown option %q in %q; allowed: size, test, seed, skip", option, name)
		}
		if !ok {
			return folder, fmt.Errorf("datasets: %s is %q in %q; allowed: %s", option, value, name, allowed)
		}
	}
	return folder, nil
}

// load reads the images and splits them.
func (n namedFolder) load(ctx context.Context, progress io.Writer) (train, test *Dataset, err error) {
	folder, err := listFolder(n.dir)
	if err != nil {
		return nil, nil, err
	}
	parts := folder.partition
	if parts != nil && n.splits {
		return nil, nil, fmt.Errorf("datasets: test or seed with %s, which holds training and test images, in %s and %s; allowed: size, skip", n.dir, parts.train, parts.test)
	}
	folder.sayLeftovers(progress)
	opts := FolderOptions{Height: n.height, Width: n.width, Resize: true, Skip: n.skip}
	if opts.Height == 0 {
		if opts.Height, opts.Width, err = folder.defaultSize(ctx, progress); err != nil {
			return nil, nil, err
		}
	}
	fmt.Fprintf(progress, "%s: reading %d images of %d classes as %dx%d pixels\n",
		folder.name, len(folder.files), len(folder.classNames), opts.Height, opts.Width)
	all, err := folder.read(ctx, opts, progress)
	if err != nil {
		return nil, nil, err
	}
	split := fmt.Sprintf("seed %d", n.seed)
	if parts == nil {
		if train, test, err = all.HoldOut(n.testShare, n.seed); err != nil {
			return nil, nil, err
		}
	} else {
		train = all.take(fmt.Sprintf("%s[%s]", folder.name, parts.train), sequence(0, parts.trainFiles))
		test = all.take(fmt.Sprintf("%s[%s]", folder.name, parts.test), sequence(parts.trainFiles, all.Len()))
		split = fmt.Sprintf("folders %s and %s", parts.train, parts.test)
		if len(parts.others) > 0 {
			split += "; not read: " + strings.Join(parts.others, ", ")
		}
	}
	colour := map[int]string{1: "gray", 3: "RGB"}[all.Channels]
	fmt.Fprintf(progress, "%s: %s, %d images to train and %d to test (%s)\n",
		folder.name, colour, train.Len(), test.Len(), split)
	return train, test, nil
}

// sequence returns the numbers from first to end, without end.
func sequence(first, end int) []int {
	numbers := make([]int, end-first)
	for i := range numbers {
		numbers[i] = first + i
	}
	return numbers
}

// defaultSize returns the height and width that a named folder gives its images:
// their own if they all have the same, of at most keptSide, else scaledSide.
func (f *imageFolder) defaultSize(ctx context.Context, progress io.Writer) (height, width int, err error) {
	going, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var own [2]int
	err = f.forEach(going, "sizes of ", progress, func(i int) {
		height, width, err := sizeOf(f.files[i])
		if err != nil {
			return // read says so
		}
		mu.Lock()
		defer mu.Unlock()
		if own == [2]int{} {
			own = [2]int{height, width}
		}
		if own != [2]int{height, width} || height > keptSide || width > keptSide {
			stop()
		}
	})
	if ctx.Err() != nil {
		return 0, 0, err
	}
	if going.Err() != nil || own == [2]int{} {
		return scaledSide, scaledSide, nil
	}
	return own[0], own[1], nil
}
