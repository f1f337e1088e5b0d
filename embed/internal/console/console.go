// Package console shows how long work goes on.
package console

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"golang.org/x/term"
)

// Output returns the writer for progress: w, or where it is nil standard error, or the
// output of a notebook's cell.
func Output(w io.Writer) io.Writer {
	switch {
	case w != nil:
		return w
	case gonbui.IsNotebook:
		return os.Stdout
	default:
		return os.Stderr
	}
}

// notebookWidth is the number of characters of a line in a notebook's output.
const notebookWidth = 100

// A Line is a line that is rewritten where that can be seen: in a terminal or a notebook.
// Elsewhere, as in a file, it is not shown.
type Line struct {
	w     io.Writer
	width func() int // of the terminal, in characters; 0: w does not show lines that are rewritten
	shown int        // characters of the line as it is
}

// NewLine returns an empty line on w.
func NewLine(w io.Writer) *Line { return &Line{w: w, width: func() int { return width(w) }} }

// NewLineOfWidth returns an empty line on a w that is so many characters wide.
func NewLineOfWidth(w io.Writer, width int) *Line {
	return &Line{w: w, width: func() int { return width }}
}

// width returns the characters of a line of w, 0 where w is no terminal or notebook.
func width(w io.Writer) int {
	file, ok := w.(*os.File)
	switch {
	case !ok:
		return 0
	case gonbui.IsNotebook:
		return notebookWidth
	case !term.IsTerminal(int(file.Fd())):
		return 0
	}
	columns, _, err := term.GetSize(int(file.Fd()))
	if err != nil || columns < 1 {
		return 80
	}
	return columns
}

// Live tells whether the line is shown.
func (l *Line) Live() bool { return l.width() > 0 }

// Show replaces the line by one of these parts, with commas between them. Parts at the end
// that have no room in the terminal are left out; the first one is cut.
func (l *Line) Show(parts ...string) {
	room := l.width() - 1 // a full line would wrap
	if room < 1 {
		return
	}
	text := parts[0][:min(len(parts[0]), room)]
	for _, part := range parts[1:] {
		if len(text)+len(", ")+len(part) > room {
			break
		}
		text += ", " + part
	}
	fmt.Fprintf(l.w, "\r%-*s", min(l.shown, room), text)
	l.shown = len(text)
}

// Clear removes the line.
func (l *Line) Clear() {
	if l.shown > 0 {
		fmt.Fprintf(l.w, "\r%s\r", strings.Repeat(" ", min(l.shown, max(0, l.width()-1))))
		l.shown = 0
	}
}
