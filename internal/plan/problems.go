package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// maxPilotID is the longest pilot id: one letter or digit and 62 more.
const maxPilotID = 63

// validPilotID tells [a-z0-9][a-z0-9-]{0,62}. The id becomes part of paths and
// branch names, so the pattern is strict.
func validPilotID(id string) bool {
	if id == "" || len(id) > maxPilotID || id[0] == '-' {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if c != '-' && !isDigit(c) && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// checkPilotID looks at the id wherever it comes from. A file name may carry
// the underscores of the stage's own names; they must be replaced by a `pilot:`.
func (p Plan) checkPilotID() []finding.Finding {
	if validPilotID(p.Pilot.Text) {
		return nil
	}
	f := finding.Finding{
		Rule: "PL002", Case: "bad_id", Severity: finding.Error, At: p.Pilot.At,
		Args: map[string]string{"pilot": cutText(p.Pilot.Text), "suggestion": suggestID(p.Pilot.Text)},
	}
	if p.Pilot.Derived {
		f.Case = "bad_file_name"
	} else {
		f.Mend = &finding.Mend{Path: p.Path, Start: p.Pilot.Start, End: p.Pilot.End, Text: f.Args["suggestion"]}
	}
	return []finding.Finding{f}
}

// suggestID makes the nearest valid id of a text.
func suggestID(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		if c < 0x80 && wordByte(byte(c)) {
			b.WriteRune(c)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
		if b.Len() == maxPilotID {
			break
		}
	}
	if id := strings.Trim(b.String(), "-"); id != "" {
		return id
	}
	return "pilot-1" // a name of another alphabet leaves nothing to keep
}

// conflicts tells each field once whose values do not say one thing.
func (p Plan) conflicts() []finding.Finding {
	var found []finding.Finding
	for _, f := range p.sortedFields() {
		first := -1
		values := p.Fields[f]
		for i, v := range values {
			if v.Text == "" || v.Derived {
				continue
			}
			if first < 0 {
				first = i
				continue
			}
			if same(f, values[first], v) || freeText(f) && values[first].FromFrontMatter == v.FromFrontMatter {
				continue
			}
			name := "conflict"
			if values[first].FromFrontMatter == v.FromFrontMatter {
				name = "two_values"
			}
			found = append(found, finding.Finding{Rule: "PL006", Case: name, Severity: finding.Error, At: v.At, Args: map[string]string{
				"field": string(f), "a": cutText(values[first].Text), "b": cutText(v.Text),
				"line": strconv.Itoa(v.At.Line), "first_line": strconv.Itoa(values[first].At.Line),
			}})
			break
		}
	}
	return append(found, metricConflicts("baseline", p.Metrics)...)
}

// metricConflicts tells a metric that the baseline gives twice with different
// figures for one statistic.
func metricConflicts(list string, rows []MetricRow) []finding.Finding {
	var found []finding.Finding
	seen := map[string]MetricRow{}
	told := map[string]bool{}
	for _, m := range rows {
		if m.Metric == "" || m.Value.Text == "" {
			continue
		}
		key := m.Metric + " " + m.Statistic
		first, again := seen[key]
		if !again {
			seen[key] = m
			continue
		}
		a, errA := first.Value.Decimal()
		b, errB := m.Value.Decimal()
		if errA == nil && errB == nil && a.Equal(b) || first.Value.Text == m.Value.Text || told[key] {
			continue
		}
		told[key] = true
		found = append(found, finding.Finding{Rule: "PL006", Case: "metric_twice", Severity: finding.Error, At: m.Value.At, Args: map[string]string{
			"list": list, "metric": m.Metric, "a": cutText(first.Value.Text), "b": cutText(m.Value.Text),
			"line": strconv.Itoa(m.Value.At.Line), "first_line": strconv.Itoa(first.Value.At.Line),
		}})
	}
	return found
}

// freeText tells the fields that may be said twice in different words.
func freeText(f Field) bool {
	switch f {
	case ManualQA, RecoveryGate, RollbackTrigger, LatencyTolerance, Hardware, DatasetID, Workflow:
		return true
	}
	return false
}

func (p Plan) sortedFields() []Field {
	fields := make([]Field, 0, len(p.Fields))
	for f := range p.Fields {
		fields = append(fields, f)
	}
	slices.Sort(fields)
	return fields
}

// unreadableNumbers tells counts and durations that are no number. The
// hyperparameters and the seed have rules of their own, which tell theirs.
func (p Plan) unreadableNumbers() []finding.Finding {
	var found []finding.Finding
	for _, f := range []Field{Records, EvaluationRecords, HardwareCount, Hours} {
		v, ok := p.Get(f)
		if !ok {
			continue
		}
		name := ""
		if f == Hours {
			if _, err := v.Hours(); err != nil {
				name = "not_number"
			}
		} else if _, err := v.Integer(); err != nil {
			name = "not_integer"
		}
		if name != "" {
			found = append(found, finding.Finding{
				Rule: "PL010", Case: name, Severity: finding.Error, At: v.At,
				Args: map[string]string{"field": string(f), "value": cutText(v.Text)},
			})
		}
	}
	return found
}

// closestKey suggests the key that a misspelt one of the front matter meant:
// one within two edits, or none.
func closestKey(key string) string {
	const longest, far = 40, 2
	k := normalKey(key)
	if k == "" || len(k) > longest {
		return ""
	}
	best, distance := "", far+1
	for known, t := range termOf {
		if known.in != anywhere || t.field == "" || abs(len(known.key)-len(k)) > far || len(known.key) < 4 {
			continue
		}
		if d := edits(k, known.key); d < distance || d == distance && known.key < best {
			best, distance = known.key, d
		}
	}
	return strings.ReplaceAll(best, " ", "_")
}

func abs(n int) int { return max(n, -n) }

// edits is the Levenshtein distance of two short texts in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = 1 + min(last, row[j], row[j+1])
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
