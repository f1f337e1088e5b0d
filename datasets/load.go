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
// before it enters the cache, goes on where an earlier one stopped, and tells
// its progress, line by line, to progress unless that is nil.
//
// Errors: an unknown name; EMBEDSPACE_DATA that is not a folder, or has some
// of the files only; a file of the wrong form, as a [*FormatError], or that
// can't be unpacked; data that is nowhere to be had; a context that ended.
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
	return nil, nil, fmt.Errorf("datasets: unknown dataset %q; there are %s", name, strings.Join(Names(), ", "))
}

// load looks for the publication in the data folder (empty: none), in the
// cache folder (empty: none) and on the network.
func (p *publication) load(ctx context.Context, data, cache string, progress io.Writer) (train, test *Dataset, err error) {
	var looked []string
	if data == "" {
		looked = append(looked, "no folder, as EMBEDSPACE_DATA is not set")
	} else {
		if info, err := os.Stat(data); err != nil || !info.IsDir() {
			return nil, nil, fmt.Errorf("datasets: EMBEDSPACE_DATA=%s is not a folder", data)
		}
		files, err := p.find(data)
		if err == nil {
			return p.read(files)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, err
		}
		looked = append(looked, filepath.Join(data, p.folder)+" (EMBEDSPACE_DATA)")
	}
	if cache == "" {
		looked = append(looked, "no cache, as the user has none: set HOME or XDG_CACHE_HOME")
		return nil, nil, p.notFound(looked, errors.New("nothing, as there is no cache to keep it in"))
	}
	files := p.downloadPaths(cache)
	if train, test, err := p.read(files); err == nil && train.Canonical {
		return train, test, nil
	}
	if err := p.download(ctx, cache, progress); err != nil {
		if ctx.Err() != nil {
			return nil, nil, err
		}
		looked = append(looked, filepath.Dir(files[0])+" (cache)")
		return nil, nil, p.notFound(looked, err)
	}
	return p.read(files)
}

// notFound is the error for data that is nowhere to be had.
func (p *publication) notFound(looked []string, tried error) error {
	hint := fmt.Sprintf("put %s into the folder %s of a folder named by EMBEDSPACE_DATA", strings.Join(p.files(), ", "), p.folder)
	if p.sample != "" {
		hint += fmt.Sprintf(", or use the embedded dataset %s", p.sample)
	}
	indented := func(lines string) string { return "  " + strings.ReplaceAll(lines, "\n", "\n  ") }
	return fmt.Errorf("datasets: %s not found\nlooked into:\n%s\ntried:\n%s\nwithout a network %s",
		p.name, indented(strings.Join(looked, "\n")), indented(tried.Error()), hint)
}
