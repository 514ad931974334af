package watched

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// panel is what we read of a Grafana panel or row; either may hold panels.
type panel struct {
	Title   string  `json:"title"`
	Panels  []panel `json:"panels"`
	Rows    []panel `json:"rows"` // before schema version 16
	Targets []struct {
		Expr string `json:"expr"`
		Hide bool   `json:"hide"`
	} `json:"targets"`
}

// Dashboard reads a Grafana dashboard as JSON. Queries of other data sources
// have no expr and are passed over.
func Dashboard(path string, src []byte) File {
	f := File{Path: path}
	if len(src) > MaxBytes {
		f.problem(0, fmt.Sprintf("%d bytes, at most %d are read", len(src), MaxBytes))
		return f
	}
	var board struct {
		panel
		Dashboard *panel `json:"dashboard"` // as Grafana's API wraps it
	}
	if err := json.Unmarshal(src, &board); err != nil {
		var syntax *json.SyntaxError
		line := 0
		if errors.As(err, &syntax) {
			line = 1 + bytes.Count(src[:min(int(syntax.Offset), len(src))], []byte("\n"))
		}
		f.problem(line, err.Error())
		return f
	}
	r := &boardReader{file: &f, src: src}
	r.read(board.panel)
	if board.Dashboard != nil {
		r.read(*board.Dashboard)
	}
	return f
}

type boardReader struct {
	file   *File
	src    []byte
	from   int // queries are found in order
	budget budget
}

func (r *boardReader) read(p panel) {
	for _, t := range p.Targets {
		if t.Expr == "" || t.Hide {
			continue
		}
		line := r.line(t.Expr)
		if text := r.budget.spend(t.Expr); text != "" {
			r.file.problem(line, text)
			return
		}
		found, err := selectors(settled(t.Expr))
		if err != nil {
			_, text := position(err)
			r.file.problem(line, text)
			continue
		}
		r.file.Queries = append(r.file.Queries, Query{Panel: title(p), Line: line, Selectors: found})
	}
	for _, inner := range append(p.Panels, p.Rows...) {
		r.read(inner)
	}
}

// line finds where a query stands. JSON keeps no places, so its text is looked
// for, behind the one before.
func (r *boardReader) line(expr string) int {
	var quoted bytes.Buffer
	enc := json.NewEncoder(&quoted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(expr); err != nil {
		return 0
	}
	needle := bytes.TrimSpace(quoted.Bytes())
	at := bytes.Index(r.src[r.from:], needle)
	if at < 0 {
		return 0
	}
	r.from += at
	return 1 + bytes.Count(r.src[:r.from], []byte("\n"))
}

var (
	variable  = regexp.MustCompile(`\$(?:\w+|\{[^}]*\})|\[\[\w+\]\]`)
	durations = regexp.MustCompile(`\[[^\]"]*\$[^\]"]*\]`)
)

// settled gives variables a value, so that the expression can be parsed: a
// duration inside brackets, a number elsewhere; inside quotes they stay.
func settled(expr string) string {
	expr = durations.ReplaceAllString(expr, "[5m]")
	parts := strings.Split(expr, `"`)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = variable.ReplaceAllString(parts[i], "1")
	}
	return strings.Join(parts, `"`)
}

// title is a panel's, which may have none.
func title(p panel) string {
	if p.Title == "" {
		return "panel"
	}
	return p.Title
}
