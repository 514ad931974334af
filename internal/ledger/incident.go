package ledger

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
)

// Incident is an entry of the runbook's incident log. Text values are people's or
// an alert's and are cleaned and escaped when written; an empty one is not written,
// and leaves the entry's line as it is when the entry is updated.
type Incident struct {
	ID         string    // INC-<year>-<n>; given by AppendIncident
	Pilot      string    // pilot id
	DetectedAt time.Time // UTC, to the second
	Alert      string    // the alert or evaluation that found it
	Severity   string
	From, To   string // the pointer's models
	PR         int    // that changes the pointer; 0: none yet
	Deployment int64  // 0: none yet
	Release    string
	Timeline   []Moment
	Impact     string
	Recovery   string // outcome of the recovery benchmark
	Issue      int    // 0: none yet
	Owner      string // login of who gives the root cause
	RootCause  string // empty: still TODO(@Owner)
	Actions    string
}

// Moment is one line of an incident's timeline.
type Moment struct {
	At   time.Time
	What string
}

// IncidentEntry is an incident as it stands in the runbook.
type IncidentEntry struct {
	ID        string
	Line      int  // of its heading
	OpenCause bool // the root cause is absent or still a TODO
	// Values are the entry's fields by their labels, as they are written: people
	// edit entries, so nothing here is trusted or unescaped.
	Values map[string]string

	start, end int // bytes; end is after the entry's last line that is not blank
	fields     []fieldLine
	timeline   []string // its written lines
}

type fieldLine struct {
	label      string
	start, end int // of its line
	nested     int // end of the nested lines below it
}

const (
	incidentsHeading = "## Appendix A · Incident Log"
	newRunbook       = "# Stage 05_03 · Runbook\n\n"
	maxMoments       = 200
)

// The labels of an entry's fields, in the order they are written.
const (
	labelPilot     = "Pilot"
	labelDetected  = "Detected"
	labelSeverity  = "Severity"
	labelPointer   = "Pointer"
	labelRelease   = "Release"
	labelTimeline  = "Timeline"
	labelImpact    = "Impact"
	labelRecovery  = "Recovery benchmark"
	labelIssue     = "Issue"
	labelRootCause = "Root cause"
	labelActions   = "Actions"
)

var (
	incidentID      = regexp.MustCompile(`^INC-(20[0-9]{2})-([1-9][0-9]{0,5})$`)
	incidentHeading = regexp.MustCompile(`^###[ \t]+(INC-\S*)[ \t]*$`)
	appendixHeading = regexp.MustCompile(`(?i)^##[ \t]+Appendix A\b.*Incident Log[ \t]*$`)
	otherHeading    = regexp.MustCompile(`^#{1,2}([ \t]|$)`)
	field           = regexp.MustCompile(`^- \*\*([A-Z][a-z ]{1,30}):\*\*(?: (.*))?$`)
	openCause       = regexp.MustCompile(`^TODO\b`)
)

// ParseIncidents reads the runbook's incident log. Findings are ids that are not
// well formed or stand twice: such an entry cannot be told from another.
func ParseIncidents(runbookPath string, runbook []byte) ([]IncidentEntry, []finding.Finding) {
	_, entries, fs := parseRunbook(runbookPath, runbook)
	return entries, fs
}

// appendix is where the incident log stands in the runbook.
type appendix struct {
	found bool
	end   int // offset after its last line that is not blank
	eol   string
}

func parseRunbook(runbookPath string, runbook []byte) (appendix, []IncidentEntry, []finding.Finding) {
	a := appendix{eol: lineEnd(runbook)}
	switch {
	case len(runbook) > MaxLog:
		return a, nil, []finding.Finding{broken("SG013", "too_large", runbookPath, 0, "bytes", strconv.Itoa(len(runbook)), "limit", strconv.Itoa(MaxLog))}
	case !isText(runbook):
		return a, nil, []finding.Finding{broken("SG013", "not_text", runbookPath, 0)}
	}
	lines, _ := splitLines(runbook)
	var (
		entries []IncidentEntry
		fs      []finding.Finding
		inside  bool
		seen    = map[string]bool{}
	)
	for i, l := range lines {
		switch {
		case l.visible && appendixHeading.MatchString(l.text):
			if a.found {
				return a, entries, append(fs, broken("SG013", "second_appendix", runbookPath, i+1))
			}
			a.found, inside, a.end = true, true, l.end
			continue
		case l.visible && otherHeading.MatchString(l.text):
			inside = false
		}
		if !inside {
			continue
		}
		if m := incidentHeading.FindStringSubmatch(l.text); l.visible && m != nil {
			switch {
			case !incidentID.MatchString(m[1]):
				fs = append(fs, broken("SG013", "malformed_id", runbookPath, i+1))
			case seen[m[1]]:
				fs = append(fs, broken("SG013", "twice", runbookPath, i+1, "id", m[1]))
			}
			seen[m[1]] = true
			entries = append(entries, IncidentEntry{ID: m[1], Line: i + 1, OpenCause: true, Values: map[string]string{}, start: l.start, end: l.end})
			a.end = l.end
			continue
		}
		if strings.TrimSpace(l.text) != "" {
			a.end = l.end
			if len(entries) > 0 {
				entries[len(entries)-1].take(l)
			}
		}
	}
	return a, entries, fs
}

// take reads a line of the entry that is not blank.
func (e *IncidentEntry) take(l line) {
	e.end = l.end
	if !l.visible {
		return
	}
	if m := field.FindStringSubmatch(l.text); m != nil {
		if _, twice := e.Values[m[1]]; twice {
			return // the first is the one that readers meet
		}
		e.Values[m[1]] = m[2]
		e.fields = append(e.fields, fieldLine{label: m[1], start: l.start, end: l.end, nested: l.end})
		if m[1] == labelRootCause {
			e.OpenCause = strings.TrimSpace(m[2]) == "" || openCause.MatchString(m[2])
		}
		return
	}
	if n := len(e.fields); n > 0 && strings.HasPrefix(l.text, "  ") {
		e.fields[n-1].nested = l.end
		if e.fields[n-1].label == labelTimeline {
			e.timeline = append(e.timeline, strings.TrimRight(l.text, " "))
		}
	}
}

// AppendIncident adds an entry at the end of the incident log and gives its id, the
// next of its year. The appendix, and the runbook, are created if absent. An entry
// for the same pilot, moment and alert is the same incident: the runbook comes back
// as it was, with that entry's id. With findings nothing is changed.
func AppendIncident(runbookPath string, runbook []byte, in Incident) ([]byte, string, []finding.Finding) {
	text := orAbsent(runbook)
	a, entries, fs := parseRunbook(runbookPath, text)
	if len(fs) == 0 {
		fs = in.check(runbookPath)
	}
	if len(fs) > 0 {
		return runbook, "", fs
	}
	fields := in.fields()
	year, last := strconv.Itoa(in.DetectedAt.UTC().Year()), 0
	for _, e := range entries {
		if e.Values[labelPilot] == fields[labelPilot] && e.Values[labelDetected] == fields[labelDetected] {
			return runbook, e.ID, nil
		}
		if m := incidentID.FindStringSubmatch(e.ID); m[1] == year {
			n, _ := strconv.Atoi(m[2]) // the pattern bounds it
			last = max(last, n)
		}
	}
	id := fmt.Sprintf("INC-%s-%d", year, last+1)
	var b strings.Builder
	if !a.found {
		switch {
		case len(text) == 0:
			text = []byte(newRunbook)
		case !bytes.HasSuffix(text, []byte("\n")):
			b.WriteString("\n\n")
		default:
			b.WriteString("\n")
		}
		b.WriteString(incidentsHeading + "\n")
		a.end = len(text)
	} else if !bytes.HasSuffix(text[:a.end], []byte("\n")) {
		b.WriteString("\n")
	}
	b.WriteString("\n### " + id + "\n\n")
	for _, label := range labels {
		if label == labelTimeline {
			b.WriteString(in.timeline())
		} else if value := fields[label]; value != "" {
			b.WriteString(fieldText(label, value))
		}
	}
	out := splice(text, a.end, a.end, strings.ReplaceAll(b.String(), "\n", a.eol))
	if _, now, fs := parseRunbook(runbookPath, out); len(fs) > 0 || len(now) != len(entries)+1 {
		return runbook, "", []finding.Finding{broken("SG013", "hidden", runbookPath, 0, "id", id)}
	}
	return out, id, nil
}

// UpdateIncident writes what is now known into the entry in.ID: given values
// replace their lines, moments that are not in the timeline are added at its end,
// a root cause that people gave is never replaced, all other bytes stay.
func UpdateIncident(runbookPath string, runbook []byte, in Incident) ([]byte, []finding.Finding) {
	a, entries, fs := parseRunbook(runbookPath, runbook)
	if len(fs) == 0 {
		fs = in.check(runbookPath)
	}
	if len(fs) > 0 {
		return runbook, fs
	}
	for i := range entries {
		if entries[i].ID != in.ID {
			continue
		}
		out := entries[i].update(runbook, in, a.eol)
		// An update is true once it has nothing more to do; what was written into
		// an open fence would be written again for ever. No line of ours opens or
		// closes one, or is a heading: the entries are as many as before.
		_, now, fs := parseRunbook(runbookPath, out)
		if len(fs) > 0 || !bytes.Equal(now[i].update(out, in, a.eol), out) {
			return runbook, []finding.Finding{broken("SG013", "hidden", runbookPath, entries[i].Line, "id", in.ID)}
		}
		return out, nil
	}
	return runbook, []finding.Finding{broken("SG013", "absent", runbookPath, 0, "id", in.ID)}
}

func (e *IncidentEntry) update(runbook []byte, in Incident, eol string) []byte {
	fields := in.fields()
	if !e.OpenCause {
		delete(fields, labelRootCause)
	}
	// From the last field to the first, so that offsets before stay true. A field
	// that has no line yet goes to the entry's end.
	var b strings.Builder
	have := map[string]bool{}
	for _, f := range e.fields {
		have[f.label] = true
	}
	for _, label := range labels {
		switch {
		case have[label]:
		case label == labelTimeline:
			b.WriteString(in.timeline())
		case fields[label] != "":
			b.WriteString(fieldText(label, fields[label]))
		}
	}
	if text := strings.ReplaceAll(b.String(), "\n", eol); text != "" {
		if !bytes.HasSuffix(runbook[:e.end], []byte("\n")) {
			text = eol + text
		}
		runbook = splice(runbook, e.end, e.end, text)
	}
	for i := len(e.fields) - 1; i >= 0; i-- {
		f := e.fields[i]
		if f.label == labelTimeline {
			if text := strings.ReplaceAll(in.moments(e.timeline), "\n", eol); text != "" {
				if !bytes.HasSuffix(runbook[:f.nested], []byte("\n")) {
					text = eol + text
				}
				runbook = splice(runbook, f.nested, f.nested, text)
			}
			continue
		}
		if value := fields[f.label]; value != "" && value != e.Values[f.label] {
			runbook = splice(runbook, f.start, f.end, strings.ReplaceAll(fieldText(f.label, value), "\n", eol))
		}
	}
	return runbook
}

var labels = []string{
	labelPilot, labelDetected, labelSeverity, labelPointer, labelRelease, labelTimeline,
	labelImpact, labelRecovery, labelIssue, labelRootCause, labelActions,
}

func fieldText(label, value string) string { return "- **" + label + ":** " + value + "\n" }

// fields are the incident's values as they are written, by label.
func (in Incident) fields() map[string]string {
	f := map[string]string{
		labelPilot:    "`" + in.Pilot + "`",
		labelDetected: in.DetectedAt.UTC().Format(time.RFC3339) + " by " + escape(Clean(in.Alert)),
		labelSeverity: escape(Clean(in.Severity)),
		labelRelease:  escape(Clean(in.Release)),
		labelImpact:   escape(Clean(in.Impact)),
		labelRecovery: escape(Clean(in.Recovery)),
		labelActions:  escape(Clean(in.Actions)),
	}
	if in.From != "" || in.To != "" {
		pointer := escape(Clean(in.From)) + " → " + escape(Clean(in.To))
		if in.PR > 0 {
			pointer += ", PR #" + strconv.Itoa(in.PR)
		}
		if in.Deployment > 0 {
			pointer += ", deployment " + strconv.FormatInt(in.Deployment, 10)
		}
		f[labelPointer] = pointer
	}
	if in.Issue > 0 {
		f[labelIssue] = "#" + strconv.Itoa(in.Issue)
	}
	f[labelRootCause] = "TODO(@" + in.Owner + ")"
	if cause := Clean(in.RootCause); cause != "" {
		f[labelRootCause] = escape(cause)
	}
	return f
}

// timeline writes the whole field, or nothing where no moment is known.
func (in Incident) timeline() string {
	if moments := in.moments(nil); moments != "" {
		return "- **" + labelTimeline + ":**\n" + moments
	}
	return ""
}

// moments writes those that are not there yet.
func (in Incident) moments(there []string) string {
	var b strings.Builder
	for _, m := range in.Timeline {
		text := "  - " + m.At.UTC().Format(time.RFC3339) + " " + escape(Clean(m.What))
		if !slices.Contains(there, text) {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}

// check refuses what no escaping can mend: ids and logins that are not one.
func (in Incident) check(runbookPath string) []finding.Finding {
	var bad string
	switch {
	case !form.Pilot(in.Pilot):
		bad = "pilot"
	case !login(in.Owner):
		bad = "owner"
	case in.DetectedAt.Year() < 2000 || in.DetectedAt.Year() > 2099:
		bad = "detected_at"
	case in.PR < 0 || in.Issue < 0 || in.Deployment < 0:
		bad = "pointer"
	case len(in.Timeline) > maxMoments:
		bad = "timeline"
	default:
		return nil
	}
	return []finding.Finding{broken("SG013", "field", runbookPath, 0, "field", bad)}
}
