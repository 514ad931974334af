package accuracy

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// Result is the score of one kind.
type Result struct {
	Rule                        string
	Found, Missed, Wrong, Exact int
	Examples                    []string // of what was missed or wrong; made-up text, for the developer alone
}

// Recall is the share of labelled places found under their own rule.
func (r Result) Recall() float64 { return share(r.Found, r.Found+r.Missed) }

// Precision is the share of findings of the rule that are labelled so.
func (r Result) Precision() float64 { return share(r.Found, r.Found+r.Wrong) }

func share(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// Score scans the records and compares findings with labels: a finding counts
// for a label of its rule that it overlaps, once. Traps gives the findings on
// each kind of trap, by rule.
func Score(records []Record) (results []Result, traps map[string]map[string]int, err error) {
	var text bytes.Buffer
	for _, r := range records {
		text.Write(r.Line)
		text.WriteByte('\n')
	}
	facts, err := dataset.Scan(&text, dataset.Options{MaxFindings: 1 << 30})
	if err != nil {
		return nil, nil, err
	}
	byRule := make(map[string]*Result)
	of := func(rule string) *Result {
		if byRule[rule] == nil {
			byRule[rule] = &Result{Rule: rule}
		}
		return byRule[rule]
	}
	taken := make([][]bool, len(records))
	for i, r := range records {
		taken[i] = make([]bool, len(r.Spans))
	}
	traps = make(map[string]map[string]int)
	for _, f := range facts.Findings {
		if !strings.HasPrefix(f.Rule, "PII") {
			continue
		}
		i := f.At.Line - 1
		rec := records[i]
		hit := false
		for j, s := range rec.Spans {
			if s.Rule == f.Rule && (!taken[i][j] || s.Optional) && f.Record.ByteStart < s.End && s.Start < f.Record.ByteEnd {
				if hit = true; s.Optional {
					break
				}
				taken[i][j] = true
				of(f.Rule).Found++
				if f.Record.ByteStart == s.Start && f.Record.ByteEnd == s.End {
					of(f.Rule).Exact++
				} else {
					of(f.Rule).note("span", rec, f.Record.ByteStart, f.Record.ByteEnd)
				}
				break
			}
		}
		if hit {
			continue
		}
		of(f.Rule).Wrong++
		of(f.Rule).note("wrong", rec, f.Record.ByteStart, f.Record.ByteEnd)
		for _, t := range rec.Traps {
			if f.Record.ByteStart < t.End && t.Start < f.Record.ByteEnd {
				if traps[t.Kind] == nil {
					traps[t.Kind] = make(map[string]int)
				}
				traps[t.Kind][f.Rule]++
			}
		}
	}
	for i, r := range records {
		for j, s := range r.Spans {
			if !taken[i][j] && !s.Optional {
				of(s.Rule).Missed++
				of(s.Rule).note("missed", r, s.Start, s.End)
			}
		}
	}
	for _, r := range byRule {
		results = append(results, *r)
	}
	slices.SortFunc(results, func(a, b Result) int { return strings.Compare(a.Rule, b.Rule) })
	return results, traps, nil
}

func (r *Result) note(what string, rec Record, start, end int) {
	if len(r.Examples) < 12 || what != "span" && len(r.Examples) < 40 {
		from := max(0, start-40)
		r.Examples = append(r.Examples, fmt.Sprintf("%s: …%s⟦%s⟧…", what, strings.ToValidUTF8(string(rec.Line[from:start]), ""), rec.Line[start:end]))
	}
}

// LeastPrecision of every kind.
const LeastPrecision = 0.98

// LeastRecall is the bar of a kind: the soft ones have no check digits.
func LeastRecall(rule string) float64 {
	switch rule {
	case "PII106", "PII107", "PII112", "PII113":
		return 0.90
	}
	return 0.97
}

// Clean are the rules that must find nothing at all on a trap.
var Clean = []string{"PII103", "PII104", "PII108", "PII115"}

var kindNames = map[string]string{
	"PII101": "phone", "PII102": "e-mail", "PII103": "INN", "PII104": "SNILS", "PII105": "OGRN, OGRNIP", "PII106": "passport",
	"PII107": "driving licence", "PII108": "bank card", "PII109": "account", "PII110": "IBAN", "PII111": "IP address", "PII112": "handle",
	"PII113": "address", "PII114": "person", "PII115": "secret", "PII116": "birth date", "PII117": "car plate", "PII118": "OMS policy", "PII199": "number alone",
}

// Print writes the table that `make accuracy` shows.
func Print(w io.Writer, results []Result, traps map[string]map[string]int) {
	fmt.Fprintf(w, "%-8s %-16s %6s %6s %6s %8s %9s %10s %9s %9s\n", "rule", "kind", "spans", "missed", "wrong", "recall", "at least", "precision", "at least", "whole")
	for _, r := range results {
		word := "met"
		if r.Recall() < LeastRecall(r.Rule) || r.Precision() < LeastPrecision {
			word = "MISSED"
		}
		fmt.Fprintf(w, "%-8s %-16s %6d %6d %6d %8.4f %9.2f %10.4f %9.2f %9.3f   %s\n", r.Rule, kindNames[r.Rule],
			r.Found+r.Missed, r.Missed, r.Wrong, r.Recall(), LeastRecall(r.Rule), r.Precision(), LeastPrecision, share(r.Exact, r.Found), word)
	}
	found := 0
	for kind, rules := range traps {
		for _, rule := range Clean {
			if n := rules[rule]; n > 0 {
				fmt.Fprintf(w, "%s found %d times on %q\n", rule, n, kind)
				found += n
			}
		}
	}
	word := "met"
	if found > 0 {
		word = "MISSED"
	}
	fmt.Fprintf(w, "INN, SNILS, card and secret on hard negatives: %d, at most 0: %s\n", found, word)
}

// PrintExamples writes what was missed, wrong or not found whole.
func PrintExamples(w io.Writer, results []Result) {
	for _, r := range results {
		for _, e := range r.Examples {
			fmt.Fprintf(w, "%s %s\n", r.Rule, e)
		}
	}
}
