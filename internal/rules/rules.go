// Package rules is the catalogue of what Pilotgate checks, one file a rule
// group, one literal row a rule.
//
// A rule reads a dossier and reports findings and what it verified. It sets no
// severity: that is the row's, by profile, and the policy of the base branch
// may change it with a reason. A rule knows nothing of approvals, of GitHub or
// of how a sentence reads.
package rules

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// Version is the catalogue's. It is part of the subject digest: once a version
// has been released, raise it when a rule starts or stops to refuse something,
// and every approval is asked for again. Before the first release nobody has
// approved anything under another catalogue, so it is 1.
const Version = "1"

// The checks that hold findings, in the order people read them.
const (
	Plan       = "pilot/plan"
	Dataset    = "pilot/dataset"
	Config     = "pilot/config"
	Baseline   = "pilot/baseline"
	Operations = "pilot/operations"
	Signoff    = "pilot/signoff"
	Report     = "pilot/report"
	Release    = "pilot/release"
	Policy     = "pilot/policy"
)

// Checks lists them in that order.
func Checks() []string {
	return []string{Plan, Dataset, Config, Baseline, Operations, Signoff, Report, Release, Policy}
}

// Row is one rule.
type Row struct {
	ID    string
	Check string
	// Starter and Full are its severity by profile; empty is "off".
	Starter, Full finding.Severity
	// Limit is the share of records that may break a dataset rule before it
	// counts; below it the findings are notes. "" is zero.
	Limit string
	// Firm: identity, hash and personal-data rules that no override lifts.
	Firm bool
	// Run makes the findings; nil where another row's Run makes them too (one
	// reading can break several rules).
	Run func(*Bench)
}

// Severity is the row's for a profile.
func (r Row) Severity(profile string) finding.Severity {
	if profile == policy.ProfileFull {
		return r.Full
	}
	return r.Starter
}

// Find returns the row of a rule.
func Find(id string) (Row, bool) {
	rows := Catalogue()
	i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if i < 0 {
		return Row{}, false
	}
	return rows[i], true
}

// Statement is one thing that was verified, as a sentence of the catalogue.
type Statement struct {
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
}

// Check is what one check has to say.
type Check struct {
	Name     string            `json:"name"`
	Findings []finding.Finding `json:"findings"`
	Verified []Statement       `json:"verified,omitempty"`
	// Hidden counts findings beyond those listed, by rule: a dataset may break
	// a rule a million times.
	Hidden map[string]int `json:"hidden,omitempty"`
	// Pending: a scan is still running.
	Pending *Progress `json:"pending,omitempty"`
	// Waits says what the check waits for beside people: a report's results.
	Waits *Statement `json:"waits,omitempty"`
	// Overridden are rules whose severity the policy changed, with its reason.
	Overridden []Override `json:"overridden,omitempty"`
}

// Progress of a scan, in bytes.
type Progress struct{ Done, Total int64 }

// Override is a severity that the policy gives a rule here.
type Override struct {
	Rule     string           `json:"rule"`
	Severity finding.Severity `json:"severity"`
	Reason   string           `json:"reason"`
}

// Failed tells whether a finding blocks.
func (c Check) Failed() bool { return finding.Count(c.Findings, finding.Error) > 0 }

// Bench is where a rule works: the dossier, and a place for what it finds.
type Bench struct {
	*dossier.Dossier
	waivers []waiver
	row     Row
	check   *Check
}

// Find reports a finding of the rule at work.
func (b *Bench) Find(kase string, at finding.Position, args ...string) *finding.Finding {
	return b.find(finding.Finding{Rule: b.row.ID, Case: kase, At: at, Args: pairs(args)})
}

func (b *Bench) find(f finding.Finding) *finding.Finding {
	b.check.Findings = append(b.check.Findings, f)
	return &b.check.Findings[len(b.check.Findings)-1]
}

// Verified reports what holds, as a sentence's key and values.
func (b *Bench) Verified(key string, args ...string) {
	b.check.Verified = append(b.check.Verified, Statement{Key: key, Args: pairs(args)})
}

func pairs(args []string) map[string]string {
	if len(args) == 0 {
		return nil
	}
	m := make(map[string]string, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	return m
}

// Applicable lists the checks that this pull request needs.
func Applicable(d *dossier.Dossier) []string {
	var out []string
	if d.Request != nil || len(d.Plans) > 0 {
		out = append(out, Plan, Dataset, Config, Baseline, Operations)
	}
	for check, kinds := range map[string][]policy.DocumentKind{
		Signoff: {policy.Signoff, policy.Evidence},
		Report:  {policy.Report, policy.Chart, policy.Reported},
		Release: {policy.Registry, policy.Pointer},
		Policy:  {policy.PolicyFile, policy.RoleFile, policy.Workflow},
	} {
		if d.Touches(kinds...) {
			out = append(out, check)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return slices.Index(Checks(), a) - slices.Index(Checks(), b) })
	return out
}

// Run applies every row of the applicable checks.
func Run(d *dossier.Dossier) []Check { return run(d, Applicable(d)) }

// RunRequest applies the five checks of a pilot request, whatever changed.
func RunRequest(d *dossier.Dossier) []Check {
	return run(d, []string{Plan, Dataset, Config, Baseline, Operations})
}

func run(d *dossier.Dossier, names []string) []Check {
	var out []Check
	waivers := waiversOf(d)
	for _, name := range names {
		check := Check{Name: name}
		for _, row := range Catalogue() {
			if row.Check == name && row.Run != nil {
				row.Run(&Bench{Dossier: d, waivers: waivers, row: row, check: &check})
			}
		}
		weigh(d, &check)
		finding.Sort(check.Findings)
		out = append(out, check)
	}
	return out
}

// weigh gives each finding its severity: its own where the language knows
// better, else the row's by profile, then the policy's override. Firm rules
// keep theirs.
func weigh(d *dossier.Dossier, c *Check) {
	told := map[string]bool{}
	kept := c.Findings[:0]
	for _, f := range c.Findings {
		row, ok := Find(f.Rule)
		if f.Severity == "" {
			f.Severity = row.Severity(d.Policy.Profile)
		}
		if o, has := d.Policy.Checks[f.Rule]; has && ok && !row.Firm {
			f.Severity = o.Severity
			if !told[f.Rule] {
				told[f.Rule] = true
				c.Overridden = append(c.Overridden, Override{Rule: f.Rule, Severity: o.Severity, Reason: o.Reason})
			}
		}
		if f.Severity != "" {
			kept = append(kept, f)
		}
	}
	c.Findings = kept
}

// top is the file as a whole: what has no better line.
func top(path string) finding.Position { return finding.Position{Path: path, Line: 1} }
