package datasets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Errors of [Load] that a program may act on, with errors.Is.
var (
	// ErrUnknown is a name that Load does not know.
	ErrUnknown = errors.New("unknown dataset")
	// ErrNotFound is a published dataset that is in no folder and that no mirror
	// delivers.
	ErrNotFound = errors.New("not found")
)

// Names returns the names that [Load] knows.
func Names() []string {
	var full, samples []string
	for _, p := range publications {
		full = append(full, p.name)
		if p.sample != "" {
			samples = append(samples, p.sample)
		}
	}
	return slices.Concat(full, samples)
}

// Load returns the training and the test set of a named dataset; see [Names].
//
// A sample comes from the program itself. A full dataset comes from the first
// of these places that has it: the folder in the environment variable
// EMBEDSPACE_DATA, the user's cache, the network. Files in EMBEDSPACE_DATA
// must have the right form; if their content is not the published one,
// Canonical is false. A download is checked against the published content
// before it enters the cache, goes on where an earlier one stopped, and writes
// its progress, line by line, to progress unless that is nil.
//
// Errors: [ErrUnknown]; [ErrNotFound]; EMBEDSPACE_DATA that is not a folder, or
// has only some of the files; a file of the wrong form, as a [*FormatError], or
// that can't be unpacked; a context that ended.
func Load(ctx context.Context, name string, progress io.Writer) (train, test *Dataset, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("datasets: %s: %w", name, err)
	}
	if progress == nil {
		progress = io.Discard
	}
	for _, p := range publications {
		if name == p.name {
			cache, err := os.UserCacheDir()
			if err == nil {
				cache = filepath.Join(cache, "embedspace")
			}
			return p.load(ctx, os.Getenv("EMBEDSPACE_DATA"), cache, progress)
		}
		if p.sample != "" && name == p.sample {
			return p.loadSample()
		}
	}
	return nil, nil, fmt.Errorf("datasets: %w %q; allowed: %s", ErrUnknown, name, strings.Join(Names(), ", "))
}

// load looks for the publication in the data folder (empty: none), in the
// cache folder (empty: none) and on the network.
func (p *publication) load(ctx context.Context, data, cache string, progress io.Writer) (train, test *Dataset, err error) {
	var places []string
	if data == "" {
		places = append(places, "no data folder: EMBEDSPACE_DATA is not set")
	} else {
		if info, err := os.Stat(data); err != nil || !info.IsDir() {
			return nil, nil, fmt.Errorf("datasets: EMBEDSPACE_DATA is %q; allowed: a folder, or not set", data)
		}
		files, err := p.find(data)
		if err == nil {
			return p.read(files)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		places = append(places, filepath.Join(data, p.folder)+" (EMBEDSPACE_DATA)")
	}
	if cache == "" {
		places = append(places, "no cache: neither HOME nor XDG_CACHE_HOME is set")
		return nil, nil, p.notFound(places, errors.New("impossible without a cache"))
	}
	files := p.downloadPaths(cache)
	if train, test, err := p.read(files); err == nil && train.Canonical {
		return train, test, nil
	}
	if err := p.download(ctx, cache, progress); err != nil {
		if ctx.Err() != nil {
			return nil, nil, err
		}
		places = append(places, filepath.Dir(files[0])+" (cache)")
		return nil, nil, p.notFound(places, err)
	}
	return p.read(files)
}

// notFound returns the ErrNotFound that names the places that were searched and
// why the download failed.
func (p *publication) notFound(places []string, failure error) error {
	hint := fmt.Sprintf("put %s into the folder %s of a folder that EMBEDSPACE_DATA names", strings.Join(p.files(), ", "), p.folder)
	if p.sample != "" {
		hint += fmt.Sprintf(", or use the built-in dataset %s", p.sample)
	}
	indented := func(lines string) string { return "  " + strings.ReplaceAll(lines, "\n", "\n  ") }
	return fmt.Errorf("datasets: %s %w\nsearched:\n%s\ndownload:\n%s\nwithout a network, %s",
		p.name, ErrNotFound, indented(strings.Join(places, "\n")), indented(failure.Error()), hint)
}
