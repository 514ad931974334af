package watched

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"
	"gopkg.in/yaml.v3"
)

// Rules reads a file of Prometheus rules. A file without a top-level `groups`
// is another of Prometheus' files (its configuration, a test of rules) and
// watches nothing.
func Rules(path string, src []byte) File {
	f := File{Path: path}
	if len(src) > MaxBytes {
		f.problem(0, fmt.Sprintf("%d bytes, at most %d are read", len(src), MaxBytes))
		return f
	}
	if !hasGroups(src) {
		return f
	}
	var places struct {
		Groups []rulefmt.RuleGroupNode `yaml:"groups"`
	}
	if err := yaml.Unmarshal(src, &places); err != nil {
		f.problem(position(err))
		return f
	}
	// Before the parser: its time grows with the square of an expression's depth.
	var b budget
	for _, g := range places.Groups {
		for _, r := range g.Rules {
			if text := b.spend(expression(r)); text != "" {
				f.problem(r.Expr.Line, text)
				return f
			}
		}
	}
	groups, errs := parseRules(src)
	for _, err := range errs {
		f.problem(position(err))
	}
	if groups == nil {
		return f
	}
	for i, g := range groups.Groups {
		for j, r := range g.Rules {
			q := Query{Alert: r.Alert, Record: r.Record}
			if i < len(places.Groups) && j < len(places.Groups[i].Rules) {
				q.Line = places.Groups[i].Rules[j].Expr.Line
			}
			if found, err := selectors(r.Expr); err == nil { // the parser has told it above
				q.Selectors = found
				f.Queries = append(f.Queries, q)
			}
		}
	}
	return f
}

// expression is a rule's, also where an alias gives it.
func expression(r rulefmt.RuleNode) string {
	if r.Expr.Alias != nil {
		return r.Expr.Alias.Value
	}
	return r.Expr.Value
}

// parseRules is rulefmt.Parse for bytes that anybody may have written.
func parseRules(src []byte) (groups *rulefmt.RuleGroups, errs []error) {
	defer func() {
		if r := recover(); r != nil {
			groups, errs = nil, []error{errors.New("the rules cannot be read")}
		}
	}()
	return rulefmt.Parse(src, false)
}

func hasGroups(src []byte) bool {
	for line := range bytes.Lines(src) {
		if bytes.HasPrefix(line, []byte("groups:")) {
			return true
		}
	}
	return false
}

const maxProblems = 20 // of a file

func (f *File) problem(line int, text string) {
	if len(f.Problems) < maxProblems {
		f.Problems = append(f.Problems, Problem{Line: line, Text: text})
	}
}

// position takes the line off an error: "12:5: could not parse …" and
// "yaml: line 7: …".
func position(err error) (line int, text string) {
	text = strings.Join(strings.Fields(err.Error()), " ")
	if rest, ok := strings.CutPrefix(text, "yaml: line "); ok {
		if n, what, ok := strings.Cut(rest, ": "); ok {
			line, _ = strconv.Atoi(n)
			return line, what
		}
	}
	for { // "3:9: 4:9: …" has the line of the rule and of its other name
		at, what, ok := strings.Cut(text, ": ")
		row, column, pair := strings.Cut(at, ":")
		n, err1 := strconv.Atoi(row)
		_, err2 := strconv.Atoi(column)
		if !ok || !pair || err1 != nil || err2 != nil {
			return line, text
		}
		if line == 0 {
			line = n
		}
		text = what
	}
}
