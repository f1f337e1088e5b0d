package datasets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// stallTimeout ends a connection that delivers nothing for so long. Tests make
// it shorter.
var stallTimeout = 30 * time.Second

const (
	attemptsPerMirror = 3 // for a connection that breaks off
	progressInterval  = time.Second
	maxDownload       = 1 << 29 // bytes; the largest file has 170 MB

	partSuffix = ".part"
)

// download fetches each file of the publication that the cache folder lacks or
// has damaged. Processes that do so at once wait for each other.
func (p *publication) download(ctx context.Context, cache string, progress io.Writer) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(cache, p.folders[0]+".lock"))
	defer lock.Close()
	if held, err := lock.TryLock(); err != nil {
		return err
	} else if !held {
		fmt.Fprintf(progress, "%s: waiting for another process that downloads it\n", p.name)
		if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	for i, file := range p.downloadPaths(cache) {
		if p.verify(file) == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := p.downloadFile(ctx, file, path.Base(p.downloads[i]), progress); err != nil {
			return err
		}
	}
	return nil
}

// downloadFile tries the mirrors in turn until one delivers the file. Until it
// is complete it has partSuffix behind its name.
func (p *publication) downloadFile(ctx context.Context, file, name string, progress io.Writer) error {
	part := file + partSuffix
	var failures []error
	for _, mirror := range p.mirrors {
		address := mirror + name
		err := p.downloadFrom(ctx, address, part, progress)
		if err == nil {
			return os.Rename(part, file)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("datasets: %s: download of %s: %w", p.name, address, context.Cause(ctx))
		}
		err = fmt.Errorf("%s: %w", address, err)
		fmt.Fprintf(progress, "%s: %v\n", p.name, err)
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// downloadFrom completes part from address and checks it. It keeps part for later
// if the connection breaks off, and removes it if its content is wrong.
func (p *publication) downloadFrom(ctx context.Context, address, part string, progress io.Writer) error {
	var err error
	for range attemptsPerMirror {
		resumed := isFile(part)
		var progressed bool
		if progressed, err = p.transfer(ctx, address, part, progress); err != nil {
			if ctx.Err() != nil || !progressed {
				return err
			}
			continue
		}
		if err = p.verify(part); err == nil {
			return nil
		}
		os.Remove(part)
		if !resumed {
			return err
		}
		// The first bytes may be those of another mirror: start anew.
	}
	return err
}

// transfer appends to part the rest of the file at address. progressed says
// whether a new attempt makes sense after an error.
func (p *publication) transfer(ctx context.Context, address, part string, progress io.Writer) (progressed bool, err error) {
	var have int64
	if info, err := os.Stat(part); err == nil {
		have = info.Size()
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := time.AfterFunc(stallTimeout, func() { cancel(fmt.Errorf("nothing arrived for %v", stallTimeout)) })
	defer stall.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, err
	}
	// Otherwise the transport would unzip a body with Content-Encoding gzip.
	request.Header.Set("Accept-Encoding", "identity")
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the address, which the caller adds
		}
		return false, cmp.Or(context.Cause(ctx), err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		var first int64
		if _, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &first); err != nil || first != have {
			err := fmt.Errorf("the answer to a request for bytes %d- has Content-Range %q", have, response.Header.Get("Content-Range"))
			return true, errors.Join(err, os.Remove(part))
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return true, nil // part may be complete: the caller checks it
	default:
		return false, errors.New(response.Status)
	}

	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(have); err != nil {
		return false, err
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return false, err
	}
	report := &transferReport{w: progress, stall: stall, name: p.name, address: address, start: time.Now(), done: have, total: have + response.ContentLength}
	report.print()
	copied, err := io.Copy(io.MultiWriter(f, report), io.LimitReader(response.Body, maxDownload))
	if err != nil {
		return copied > 0, cmp.Or(context.Cause(ctx), err)
	}
	report.print()
	return true, f.Sync()
}

// transferReport prints a line when a transfer begins, each second, and when it
// ends. Each write to it restarts the stall timer.
type transferReport struct {
	w                   io.Writer
	stall               *time.Timer
	name, address       string
	start, printed      time.Time
	done, total, copied int64
}

func (t *transferReport) Write(b []byte) (int, error) {
	t.stall.Reset(stallTimeout)
	t.done += int64(len(b))
	t.copied += int64(len(b))
	if time.Since(t.printed) >= progressInterval {
		t.print()
	}
	return len(b), nil
}

func (t *transferReport) print() {
	t.printed = time.Now()
	line := fmt.Sprintf("%s: %s: %.1f", t.name, t.address, float64(t.done)/1e6)
	if t.total >= t.done && t.total > 0 {
		line += fmt.Sprintf(" of %.1f MB, %d %%", float64(t.total)/1e6, 100*t.done/t.total)
	} else {
		line += " MB"
	}
	if seconds := t.printed.Sub(t.start).Seconds(); t.copied > 0 && seconds > 0 {
		line += fmt.Sprintf(", %.1f MB/s", float64(t.copied)/1e6/seconds)
	}
	fmt.Fprintln(t.w, line)
}
