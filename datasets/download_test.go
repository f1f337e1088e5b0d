package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A mirror serves the toy dataset and records the requests.
type mirror struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // "name range"
}

// newMirror starts a mirror. special, unless nil, returns true for a request that
// it has answered itself.
func newMirror(t *testing.T, special func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool) *mirror {
	m := &mirror{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		m.mu.Lock()
		m.requests = append(m.requests, strings.TrimSpace(name+" "+r.Header.Get("Range")))
		m.mu.Unlock()
		content := gzipped(toyFiles[strings.TrimSuffix(name, ".gz")])
		if special == nil || !special(w, r, name, content) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *mirror) url() string { return m.URL + "/toy/" }

func (m *mirror) count(request string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(m.requests), func(r string) bool { return r != request }))
}

var toyDownloads = []string{idxTrainImages + ".gz", idxTrainLabels + ".gz", idxTestImages + ".gz", idxTestLabels + ".gz"}

// checkCache fails unless the cache holds the four files and nothing partial.
func checkCache(t *testing.T, cache string) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(filepath.Join(cache, "toy"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := slices.Sorted(slices.Values(toyDownloads)); !slices.Equal(names, want) {
		t.Errorf("the cache holds %q, want %q", names, want)
	}
}

func loadToy(t *testing.T, cache string, progress io.Writer, mirrors ...string) {
	t.Helper()
	train, test, err := toy(mirrors...).load(t.Context(), "", cache, progress)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, train, test)
	if !train.Canonical || !test.Canonical {
		t.Error("a download that is not canonical")
	}
	checkCache(t, cache)
}

func TestDownload(t *testing.T) {
	m := newMirror(t, nil)
	cache := filepath.Join(t.TempDir(), "new", "cache")
	var progress bytes.Buffer
	loadToy(t, cache, &progress, m.url())
	if len(m.requests) != 4 {
		t.Errorf("requests %q, want one for each file", m.requests)
	}
	for _, name := range toyDownloads {
		if !strings.Contains(progress.String(), "toy: "+m.url()+name) {
			t.Errorf("no progress line for %s in:\n%s", name, &progress)
		}
	}
	if !strings.Contains(progress.String(), "0.0 of 0.0 MB, 100 %") {
		t.Errorf("no line for the end of a download in:\n%s", &progress)
	}

	// From the cache, without the network and without a word.
	m.Close()
	progress.Reset()
	loadToy(t, cache, &progress, m.url())
	if progress.Len() > 0 {
		t.Errorf("progress %q, want none", &progress)
	}
}

func TestDownloadRepairsCache(t *testing.T) {
	m := newMirror(t, nil)
	cache := t.TempDir()
	loadToy(t, cache, io.Discard, m.url())
	damaged := filepath.Join(cache, "toy", idxTestLabels+".gz")
	write(t, gzipped(idx([]byte{1, 3}, 2)), damaged)
	loadToy(t, cache, io.Discard, m.url())
	if n := len(m.requests); n != 5 || m.requests[4] != idxTestLabels+".gz" {
		t.Errorf("requests %q, want the four files and the damaged one again", m.requests)
	}
}

// The data folder has another dataset only: the cache and the network serve.
func TestDownloadBesideDataFolder(t *testing.T) {
	m := newMirror(t, nil)
	data, cache := t.TempDir(), t.TempDir()
	write(t, nil, data, "mnist", idxTrainImages)
	train, test, err := toy(m.url()).load(t.Context(), data, cache, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	checkToy(t, train, test)
	checkCache(t, cache)
}

func TestDownloadFallsBackToMirror(t *testing.T) {
	for name, broken := range map[string]func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool{
		"404": func(w http.ResponseWriter, r *http.Request, _ string, _ []byte) bool {
			http.NotFound(w, r)
			return true
		},
		"other content": func(w http.ResponseWriter, _ *http.Request, _ string, _ []byte) bool {
			w.Write(gzipped(idx([]byte{5, 5, 5}, 3)))
			return true
		},
		"a login page": func(w http.ResponseWriter, _ *http.Request, _ string, _ []byte) bool {
			fmt.Fprint(w, "<html>please log in</html>")
			return true
		},
		"truncated without a length": func(w http.ResponseWriter, _ *http.Request, _ string, content []byte) bool {
			w.(http.Flusher).Flush()
			w.Write(content[:len(content)/2])
			return true
		},
		"breaks off before the first byte": func(w http.ResponseWriter, _ *http.Request, _ string, content []byte) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := newMirror(t, broken), newMirror(t, nil)
			var progress bytes.Buffer
			loadToy(t, t.TempDir(), &progress, bad.url(), good.url())
			if !strings.Contains(progress.String(), "toy: "+bad.url()+idxTrainImages+".gz: ") {
				t.Errorf("progress does not tell of the failure:\n%s", &progress)
			}
		})
	}
}

// When a connection breaks off, the same mirror gets a request for the rest.
func TestDownloadResumesSameMirror(t *testing.T) {
	broken := false
	m := newMirror(t, func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool {
		if name != toyDownloads[0] || broken {
			return false
		}
		broken = true
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:1000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	loadToy(t, t.TempDir(), io.Discard, m.url())
	if m.count(toyDownloads[0]) != 1 || m.count(toyDownloads[0]+" bytes=1000-") != 1 {
		t.Errorf("requests %q, want the file and then its rest", m.requests)
	}
}

func TestDownloadResumesPart(t *testing.T) {
	content := gzipped(toyFiles[idxTrainImages])
	for _, test := range []struct {
		name    string
		part    []byte
		special func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool
		want    []string // requests for the first file
	}{
		{"half", content[:900], nil, []string{" bytes=900-"}},
		{"empty", nil, nil, []string{""}},
		{"whole", content, nil, []string{fmt.Sprintf(" bytes=%d-", len(content))}},
		{"too long", append(slices.Clone(content), 1, 2, 3), nil, []string{fmt.Sprintf(" bytes=%d-", len(content)+3), ""}},
		{"from elsewhere", make([]byte, 900), nil, []string{" bytes=900-", ""}},
		{"server without ranges", content[:900], func(w http.ResponseWriter, _ *http.Request, _ string, content []byte) bool {
			w.Write(content)
			return true
		}, []string{" bytes=900-"}},
		{"server with another range", content[:900], func(w http.ResponseWriter, r *http.Request, _ string, content []byte) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content)
			return true
		}, []string{" bytes=900-", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMirror(t, test.special)
			cache := t.TempDir()
			write(t, test.part, cache, "toy", toyDownloads[0]+partSuffix)
			loadToy(t, cache, io.Discard, m.url())
			var got []string
			for _, r := range m.requests {
				if rest, ok := strings.CutPrefix(r, toyDownloads[0]); ok {
					got = append(got, rest)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("requests %q, want %q", got, test.want)
			}
		})
	}
}

// The first mirror delivers half and then nothing; the second has the rest.
func TestDownloadStalls(t *testing.T) {
	defer func(old time.Duration) { stallTimeout = old }(stallTimeout)
	stallTimeout = 500 * time.Millisecond // a busy machine delivers the first half within it
	stalled := newMirror(t, func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool {
		if r.Header.Get("Range") == "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:len(content)/2])
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		return true
	})
	good := newMirror(t, nil)
	var progress bytes.Buffer
	loadToy(t, t.TempDir(), &progress, stalled.url(), good.url())
	if !strings.Contains(progress.String(), "nothing arrived for 500ms") {
		t.Errorf("progress does not tell of the stall:\n%s", &progress)
	}
	if half := len(gzipped(toyFiles[idxTrainImages])) / 2; good.count(fmt.Sprintf("%s bytes=%d-", toyDownloads[0], half)) != 1 {
		t.Errorf("requests %q, want the second half of the first file", good.requests)
	}
}

// A canceled download leaves its part, and the next one goes on from there.
func TestDownloadCanceled(t *testing.T) {
	half := len(gzipped(toyFiles[idxTrainImages])) / 2
	first := true
	m := newMirror(t, func(w http.ResponseWriter, r *http.Request, name string, content []byte) bool {
		if !first {
			return false
		}
		first = false
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:half])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	})
	cache := t.TempDir()
	part := filepath.Join(cache, "toy", toyDownloads[0]+partSuffix)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for {
			if info, err := os.Stat(part); err == nil && info.Size() == int64(half) {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	_, _, err := toy(m.url()).load(ctx, "", cache, io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if _, err := os.Stat(filepath.Join(cache, "toy", toyDownloads[0])); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a partial file under its final name: %v", err)
	}
	loadToy(t, cache, io.Discard, m.url())
	if m.count(fmt.Sprintf("%s bytes=%d-", toyDownloads[0], half)) != 1 {
		t.Errorf("requests %q, want the second half of the first file", m.requests)
	}
}

func TestNotFound(t *testing.T) {
	bad := newMirror(t, func(w http.ResponseWriter, _ *http.Request, _ string, _ []byte) bool {
		w.Write(gzipped(idx([]byte{5, 5, 5}, 3)))
		return true
	})
	gone := newMirror(t, nil)
	gone.Close()
	data, cache := t.TempDir(), t.TempDir()
	_, _, err := toy(bad.url(), gone.url()).load(t.Context(), data, cache, io.Discard)
	if !errors.Is(err, ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	for _, want := range []string{
		filepath.Join(data, "toy") + " (EMBEDSPACE_DATA)",
		filepath.Join(cache, "toy") + " (cache)",
		bad.url() + toyDownloads[0] + ": ", "checksum of the uncompressed " + idxTrainImages,
		gone.url() + toyDownloads[0] + ": ", "connection refused",
		idxTestLabels, "toy-sample",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not mention %q:\n%v", want, err)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(cache, "toy")); len(entries) != 0 {
		t.Errorf("the cache holds %v", entries)
	}
	if _, _, err := toy(gone.url()).load(t.Context(), "", "", io.Discard); err == nil || !strings.Contains(err.Error(), "EMBEDSPACE_DATA is not set") || !strings.Contains(err.Error(), "XDG_CACHE_HOME is set") {
		t.Errorf("without any folder: %v", err)
	}
}

// Two processes load at once into one cache: each file is fetched once.
func TestDownloadTwoProcesses(t *testing.T) {
	if cache := os.Getenv("DATASETS_TEST_CACHE"); cache != "" {
		loadToy(t, cache, os.Stdout, os.Getenv("DATASETS_TEST_MIRROR"))
		return
	}
	started := make(chan struct{})
	var once sync.Once
	release := make(chan struct{})
	m := newMirror(t, func(http.ResponseWriter, *http.Request, string, []byte) bool {
		once.Do(func() { close(started) })
		<-release
		return false
	})
	cache := t.TempDir()
	start := func(output io.Writer) *exec.Cmd {
		command := exec.Command(os.Args[0], "-test.run=^TestDownloadTwoProcesses$")
		command.Env = append(os.Environ(), "DATASETS_TEST_CACHE="+cache, "DATASETS_TEST_MIRROR="+m.url())
		command.Stdout, command.Stderr = output, output
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		return command
	}
	var firstOutput bytes.Buffer
	first := start(&firstOutput)
	<-started
	reader, writer := io.Pipe()
	second := start(writer)
	line := make([]byte, 1000)
	n, _ := reader.Read(line)
	if !strings.Contains(string(line[:n]), "waiting for another process") {
		t.Errorf("the second process says %q", line[:n])
	}
	go io.Copy(io.Discard, reader)
	close(release)
	if err := errors.Join(first.Wait(), second.Wait()); err != nil {
		t.Errorf("%v\n%s", err, &firstOutput)
	}
	if len(m.requests) != 4 {
		t.Errorf("requests %q, want one for each file", m.requests)
	}
	checkCache(t, cache)
}
