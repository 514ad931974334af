package policy

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// DocumentKind is what a path is to Pilotgate.
type DocumentKind string

// The kinds. None is a path that nothing governs.
const (
	None       DocumentKind = ""
	Plan       DocumentKind = "plan"
	Report     DocumentKind = "report"
	Chart      DocumentKind = "chart"    // beside a report
	Reported   DocumentKind = "reported" // beside a report: results that people bring
	Signoff    DocumentKind = "signoff"
	Evidence   DocumentKind = "evidence"
	Summary    DocumentKind = "summary"
	Runbook    DocumentKind = "runbook"
	Registry   DocumentKind = "registry"
	Pointer    DocumentKind = "pointer"
	PolicyFile DocumentKind = "policy"
	RoleFile   DocumentKind = "roles"
	Workflow   DocumentKind = "workflow" // a trusted one
	Prometheus DocumentKind = "prometheus"
	Grafana    DocumentKind = "grafana"
)

const pilotPlace = "{pilot}"

// Kind tells what a path is. The policy and role file have their kind under
// every policy. A plan pattern does not make a plan of a report, a log or a
// README that lies beside the plans.
func (p Policy) Kind(name string) DocumentKind {
	switch name {
	case "":
		return None
	case Path:
		return PolicyFile
	case RolesPath:
		return RoleFile
	case p.Workflows.Benchmark, p.Workflows.Training:
		return Workflow
	case p.Paths.Registry:
		return Registry
	case p.Paths.Pointer:
		return Pointer
	case p.Paths.Signoff:
		return Signoff
	case p.Paths.Summary:
		return Summary
	case p.Paths.Runbook:
		return Runbook
	}
	if underFolder(p.Paths.Evidence, name) {
		return Evidence
	}
	if _, ok := between(p.Paths.Report, name); ok {
		return Report
	}
	if _, ok := between(p.chart(), name); ok {
		return Chart
	}
	if _, ok := p.reported(name); ok {
		return Reported
	}
	switch matches := func(pattern string) bool { return Match(pattern, name) }; {
	case slices.ContainsFunc(p.Paths.Plans, matches) && !besidePlans(name):
		return Plan
	case slices.ContainsFunc(p.Paths.Prometheus, matches):
		return Prometheus
	case slices.ContainsFunc(p.Paths.Grafana, matches):
		return Grafana
	}
	return None
}

// besidePlans tells whether a file that matches a plan pattern is none.
func besidePlans(name string) bool {
	base := strings.ToLower(path.Base(name))
	return base == "readme.md" || strings.Contains(base, "_report") || strings.Contains(base, "_log")
}

// Resembles tells what a path looks like without being it: the kind that it
// has once case, composition, look-alike letters, invisible characters and dot
// segments are levelled. A path that is governed as it stands resembles
// nothing.
func (p Policy) Resembles(name string) DocumentKind {
	if p.Kind(name) != None {
		return None
	}
	want := level(name)
	for _, fixed := range []struct {
		path string
		kind DocumentKind
	}{
		{Path, PolicyFile},
		{RolesPath, RoleFile},
		{p.Workflows.Benchmark, Workflow},
		{p.Workflows.Training, Workflow},
		{p.Paths.Registry, Registry},
		{p.Paths.Pointer, Pointer},
		{p.Paths.Signoff, Signoff},
		{p.Paths.Summary, Summary},
		{p.Paths.Runbook, Runbook},
	} {
		if fixed.path != "" && level(fixed.path) == want {
			return fixed.kind
		}
	}
	q := p
	q.Paths.Evidence, q.Paths.Report = level(p.Paths.Evidence), level(p.Paths.Report)
	q.Paths.Plans, q.Paths.Prometheus, q.Paths.Grafana = levelled(p.Paths.Plans), levelled(p.Paths.Prometheus), levelled(p.Paths.Grafana)
	return q.Kind(want)
}

func levelled(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = level(s)
	}
	return out
}

// lookAlikes are the Cyrillic and Greek letters that pass for Latin ones, in
// lower case. What a file system or a reader may confuse is enough here.
var lookAlikes = strings.NewReplacer(
	"а", "a", "в", "b", "с", "c", "ԁ", "d", "е", "e", "ё", "e", "һ", "h", "і", "i", "ї", "i", "ј", "j", "к", "k", "м", "m",
	"н", "h", "о", "o", "р", "p", "ѕ", "s", "т", "t", "у", "y", "х", "x", "ԛ", "q", "ԝ", "w", "ӏ", "l",
	"α", "a", "ο", "o", "ι", "i", "κ", "k", "ν", "v", "ρ", "p", "τ", "t", "υ", "u", "χ", "x",
)

// level maps a path to what a hasty reader or a case-insensitive file system
// takes it for.
func level(name string) string {
	if plain(name) { // of which only case and dot segments can confuse
		return levelSegments(strings.ToLower(name))
	}
	name = strings.ReplaceAll(norm.NFKC.String(name), `\`, "/")
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, norm.NFD.String(name))
	return levelSegments(lookAlikes.Replace(strings.ToLower(name)))
}

// plain: printable ASCII without a backslash.
func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '\\' {
			return false
		}
	}
	return true
}

func levelSegments(name string) string {
	trailing := strings.HasSuffix(name, "/")
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if trailing {
		name += "/"
	}
	return name
}

// underFolder tells whether a path lies in a folder given with "{pilot}".
func underFolder(folder, name string) bool {
	before, after, ok := strings.Cut(folder, pilotPlace)
	if !ok {
		return folder != "" && strings.HasPrefix(name, folder)
	}
	rest, ok := strings.CutPrefix(name, before)
	if !ok {
		return false
	}
	// Whatever stands in the id's place, the folder is governed: a strange id
	// must not take a file out of the ledger.
	i := strings.Index(rest, after)
	return i > 0 && len(rest) > i+len(after) && !strings.Contains(rest[:i], "/")
}

// between returns what stands in the place of "{pilot}" in a file's path.
func between(pattern, name string) (string, bool) {
	before, after, ok := strings.Cut(pattern, pilotPlace)
	if !ok {
		return "", pattern != "" && pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	if !ok {
		return "", false
	}
	id, ok := strings.CutSuffix(rest, after)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// PilotID is the pilot that a path belongs to by its name: what stands in the
// place of "{pilot}" in a report or evidence path, else the file name without
// ".md". It need not be a valid id.
func (p Policy) PilotID(name string) string {
	switch p.Kind(name) {
	case Report:
		if id, _ := between(p.Paths.Report, name); id != "" {
			return id
		}
	case Chart:
		if id, _ := between(p.chart(), name); id != "" {
			return id
		}
	case Reported:
		if id, _ := p.reported(name); id != "" {
			return id
		}
	case Evidence:
		if before, after, ok := strings.Cut(p.Paths.Evidence, pilotPlace); ok {
			id, _, _ := strings.Cut(strings.TrimPrefix(name, before), after)
			return id
		}
	}
	return strings.TrimSuffix(path.Base(name), ".md")
}

// ReportPath is where a pilot's report is. The id must be valid.
func (p Policy) ReportPath(id string) string {
	return strings.ReplaceAll(p.Paths.Report, pilotPlace, id)
}

// chart is where the charts of reports lie: beside them.
func (p Policy) chart() string { return strings.TrimSuffix(p.Paths.Report, ".md") + ".svg" }

// The files in which people bring the results of a training that no run of ours
// made: what a run leaves in its artifact, beside the report.
const (
	ReportedManifest  = "manifest"
	ReportedBaseline  = "baseline"
	ReportedCandidate = "candidate"
)

// ReportedPath is where one of those files of a pilot is. The id must be valid.
func (p Policy) ReportedPath(id, part string) string {
	return strings.TrimSuffix(p.ReportPath(id), ".md") + "." + part + ".json"
}

// reported returns the pilot of a file of results that people bring.
func (p Policy) reported(name string) (pilot string, ok bool) {
	for _, part := range []string{ReportedManifest, ReportedBaseline, ReportedCandidate} {
		if id, ok := between(strings.TrimSuffix(p.Paths.Report, ".md")+"."+part+".json", name); ok {
			return id, true
		}
	}
	return "", false
}

// EvidencePath is the folder of a pilot's records, with its final slash. The
// id must be valid.
func (p Policy) EvidencePath(id string) string {
	return strings.ReplaceAll(p.Paths.Evidence, pilotPlace, id)
}
