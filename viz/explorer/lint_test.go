package explorer

import (
	"slices"
	"strings"
	"testing"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

// browserNames are the names that the script of the page takes from the browser.
var browserNames = strings.Fields(`
	Array Boolean Float32Array Infinity Int32Array JSON Map Math Number Object ResizeObserver Set Uint32Array Uint8Array
	atob document getComputedStyle matchMedia parseInt performance requestAnimationFrame undefined window`)

// A linter collects what is wrong with a script. It asks for what a compiler of a typed language
// would: all names are declared, and all that are declared are used; and for let, const and ===.
type linter struct {
	faults   []string
	declared map[*js.Var]bool // by let, of which some may never change
	changed  map[*js.Var]bool
}

// lint returns what is wrong with a script.
func lint(script string) ([]string, error) {
	ast, err := js.Parse(parse.NewInputString(script), js.Options{})
	if err != nil {
		return nil, err
	}
	l := &linter{declared: map[*js.Var]bool{}, changed: map[*js.Var]bool{}}
	for _, v := range ast.BlockStmt.Scope.Undeclared {
		if !slices.Contains(browserNames, v.String()) {
			l.fault("%s is not declared", v.String())
		}
	}
	js.Walk(l, ast)
	for v := range l.declared {
		if !l.changed[v] {
			l.fault("%s never changes: it is const", v.String())
		}
	}
	slices.Sort(l.faults)
	return l.faults, nil
}

func (l *linter) fault(format string, name string) {
	l.faults = append(l.faults, strings.Replace(format, "%s", name, 1))
}

// Enter looks at a node of the script.
func (l *linter) Enter(node js.INode) js.IVisitor {
	switch n := node.(type) {
	case *js.BlockStmt:
		for _, v := range n.Scope.Declared {
			if v.Uses < 2 && v.String() != "_" { // the declaration is one
				l.fault("%s is not used", v.String())
			}
		}
	case *js.VarDecl:
		if n.TokenType == js.VarToken {
			l.fault("%s: not let or const", "var")
		}
		if n.TokenType == js.LetToken {
			for _, element := range n.List {
				l.bind(element.Binding)
			}
		}
	case *js.BinaryExpr:
		switch n.Op {
		case js.EqEqToken, js.NotEqToken:
			l.fault("%s: not === or !==", n.String())
		case js.EqToken, js.AddEqToken, js.SubEqToken, js.MulEqToken, js.DivEqToken, js.BitAndEqToken, js.BitOrEqToken, js.NullishEqToken:
			l.change(n.X)
		}
	case *js.UnaryExpr:
		switch n.Op {
		case js.PreIncrToken, js.PostIncrToken, js.PreDecrToken, js.PostDecrToken:
			l.change(n.X)
		}
	}
	return l
}

// Exit is that of a js.IVisitor.
func (l *linter) Exit(js.INode) {}

// bind notes what let declares.
func (l *linter) bind(binding js.IBinding) {
	switch b := binding.(type) {
	case *js.Var:
		l.declared[b] = true
	case *js.BindingArray:
		for _, element := range b.List {
			l.bind(element.Binding)
		}
	}
}

// change notes what an assignment changes.
func (l *linter) change(expression js.IExpr) {
	switch e := expression.(type) {
	case *js.Var:
		for e.Link != nil {
			e = e.Link
		}
		l.changed[e] = true
	case *js.ArrayExpr:
		for _, element := range e.List {
			l.change(element.Value)
		}
	}
}

// TestLint: the scripts of the page share one scope, and are judged together.
func TestLint(t *testing.T) {
	var script strings.Builder
	for _, name := range scripts {
		script.WriteString(file(name))
	}
	faults, err := lint(script.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

func TestLinter(t *testing.T) {
	for script, want := range map[string]string{
		`const a = 1; document.title = a;`:                            "",
		`const a = 1;`:                                                "a is not used",
		`function f(x) { return 1; } f();`:                            "x is not used",
		`((x) => window.y = 1)();`:                                    "x is not used",
		`document.title = heading;`:                                   "heading is not declared",
		`console.log(1);`:                                             "console is not declared",
		`let a = 1; document.title = a;`:                              "a never changes: it is const",
		`let a = 1; a += 1; let b = a; [b] = [a]; let c = b; c++;`:    "",
		`for (let i = 0; i < 3; i++) document.title = i;`:             "",
		`var a = 1; a++;`:                                             "var: not let or const",
		`const a = 1; if (a == 2) document.title = a;`:                "(a==2): not === or !==",
		`let [a, b] = [1, 2]; a = b; document.title = a;`:             "b never changes: it is const",
		`const f = () => { const g = 1; }; f();`:                      "g is not used",
		`class A { m(x) { return this; } } document.title = new A();`: "x is not used",
	} {
		faults, err := lint(script)
		if got := strings.Join(faults, ", "); err != nil || got != want {
			t.Errorf("%s: %q, want %q, error %v", script, got, want, err)
		}
	}
	if _, err := lint(`const a = ;`); err == nil {
		t.Error("no error of what is no script")
	}
}
