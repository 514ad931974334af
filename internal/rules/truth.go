package rules

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/dataset/pii"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// What a plan and its data card say is held against the commit that brings
// them. Where a rule of its own judges a field, nothing is told twice.

// told are the fields whose files other rules look for.
var told = []plan.Field{
	plan.Config, plan.Script, plan.PromptFile, plan.Dataset, plan.EvaluationDataset, plan.DataCard, plan.Pointer,
}

// judgedElsewhere are the plan's values that rules of their own look for.
func judgedElsewhere(q *dossier.Request) map[string]bool {
	seen := map[string]bool{"": true}
	for _, f := range told {
		v, _ := q.Plan.Get(f)
		seen[v.Text] = true
	}
	return seen
}

// namer is a document and what it names.
type namer struct {
	dossier.Document
	mentions []plan.Mention
	// ours: this pull request brings or changes it. What is wrong in another's
	// file is at most a warning here.
	ours bool
}

// namers are plan, data card, runbook and stage summary, the plan first.
func (b *Bench) namers() []namer {
	q := b.Request
	all := []namer{{q.Source, q.Plan.Mentions, true}}
	if q.CardFile.Readable() {
		all = append(all, namer{q.CardFile, q.Card.Mentions, b.changed(q.CardPath)})
	}
	for _, d := range q.Beside {
		all = append(all, namer{d.Document, d.Prose.Mentions, b.changed(d.Path)})
	}
	return all
}

// soften makes a finding in another's file a warning at most.
func (n namer) soften(f *finding.Finding, row Row, profile string) {
	if !n.ours && row.Severity(profile) == finding.Error {
		f.Severity = finding.Warning
	}
}

// besideReads: a runbook or summary that cannot be read says nothing to anybody.
func besideReads(b *Bench) {
	if b.Request == nil {
		return
	}
	for _, d := range b.Request.Beside {
		for _, f := range d.Prose.Problems {
			if !b.changed(d.Path) {
				f.Severity = finding.Warning
			}
			b.find(f)
		}
	}
}

// namedInText: a file that the text names is in head's tree. What a run is to
// write need not be there, and a pattern names no one file.
func namedInText(b *Bench) {
	q := b.Request
	if q == nil || b.Truncated {
		return
	}
	seen := judgedElsewhere(q)
	absent, named := 0, 0
	for _, doc := range b.namers() {
		for _, m := range doc.mentions {
			switch m.Kind {
			case plan.MentionPath, plan.MentionScript, plan.MentionConfig, plan.MentionWorkflow, plan.MentionPrompt, plan.MentionDashboard:
			default:
				continue
			}
			named++
			path := strings.TrimPrefix(strings.TrimSuffix(m.Text, "/"), "./")
			if m.Output || m.Pattern || m.Bare || seen[m.Text] || seen[path] || strings.HasPrefix(path, "/") {
				continue
			}
			seen[path] = true
			if b.holds(path) || generated(b, path) || doc.Path == q.CardPath && b.hadThen(path) {
				continue
			}
			absent++
			kase := "absent"
			if b.ignored(path) {
				kase = "ignored"
			}
			doc.soften(b.Find(kase, m.At, "path", path), b.row, b.Policy.Profile)
		}
	}
	fieldAbsent := slices.ContainsFunc(b.check.Findings, func(f finding.Finding) bool { return f.Rule == "PL031" })
	if absent == 0 && named > 0 && !fieldAbsent {
		b.Verified("named")
	}
}

// hadThen tells whether the exporter's commit has the file: it was renamed or
// removed since, and the card tells how it was.
func (b *Bench) hadThen(path string) bool {
	_, ok := b.Request.Exporter.Tree.Entries[path]
	return ok
}

// ignored tells whether the repository's .gitignore keeps a path out of every
// commit: it may well be on the author's disk.
func (b *Bench) ignored(path string) bool {
	d := b.Request.Ignore
	if !d.Readable() {
		return false
	}
	return policy.Ignored(d.Blob.Bytes, path)
}

// generated are the files that we write after the plan is merged.
func generated(b *Bench, path string) bool {
	p := b.Policy.Paths
	return path == p.Signoff || path == p.Runbook || path == p.Summary || path == b.Policy.ReportPath(b.Request.PilotID) ||
		strings.HasPrefix(path+"/", b.Policy.EvidencePath(b.Request.PilotID))
}

// holds tells whether head has a file, or a folder, of this path.
func (b *Bench) holds(path string) bool {
	entries := b.Pull.Git.Trees[b.Pull.Head.OID].Entries
	if _, ok := entries[path]; ok {
		return true
	}
	for p := range entries {
		if strings.HasPrefix(p, path+"/") {
			return true
		}
	}
	return false
}

// changed tells whether the pull request brings or changes the file.
func (b *Bench) changed(path string) bool {
	before, ok := b.Pull.Git.Trees[b.MergeBase]
	if !ok {
		before = b.BaseTree
	}
	return before.Entries[path] != b.HeadTree.Entries[path]
}

// deadLinks: a link inside the repository leads to something.
func deadLinks(b *Bench) {
	q := b.Request
	if q == nil || b.Truncated {
		return
	}
	elsewhere := judgedElsewhere(q)
	for _, doc := range b.namers() {
		for _, m := range doc.mentions {
			target := strings.TrimSuffix(m.Text, "/")
			if m.Kind != plan.MentionLink || m.Pattern || target == "" || doc.Path == q.Path && elsewhere[m.Text] || b.holds(target) || generated(b, target) {
				continue
			}
			doc.soften(b.Find("dead", m.At, "path", target), b.row, b.Policy.Profile)
		}
	}
}

// maxCredentials bounds what is told of one document.
const maxCredentials = 20

// credentials: no governed document holds a key, a token or a password. What
// was found is not repeated.
func credentials(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, doc := range b.namers() {
		if !doc.Readable() {
			continue
		}
		for i, line := range facts.Read(doc.Blob, "", secretLines) {
			if i == maxCredentials {
				break
			}
			doc.soften(b.Find("found", finding.Position{Path: doc.Path, Line: line}), b.row, b.Policy.Profile)
		}
	}
}

// secrets are line numbers.
type secrets []int

// secretLines are the lines on which a secret begins. A line speaks for itself:
// the "Pass" that ends one row of a metric table makes no password of what
// begins the next. A key in a block of its own has several lines.
func secretLines(_ string, src []byte) (lines secrets) {
	var scanner pii.Scanner
	number := 0
	for line := range bytes.Lines(src) {
		number++
		for _, m := range scanner.Scan(line, pii.Context{}) {
			if m.ID == pii.Secret {
				lines = append(lines, number)
			}
		}
	}
	for _, m := range scanner.Scan(src, pii.Context{}) {
		if at := 1 + bytes.Count(src[:m.Start], []byte("\n")); m.ID == pii.Secret && bytes.IndexByte(src[m.Start:m.End], '\n') >= 0 && !slices.Contains(lines, at) {
			lines = append(lines, at)
		}
	}
	return lines
}

// cardDates: a data card cannot tell of a day after the commit that brings it;
// in a working tree that commit is still to come.
func cardDates(b *Bench) {
	q := b.Request
	if q == nil || !q.CardFile.Readable() {
		return
	}
	brought := b.Pull.Now
	for _, c := range b.Pull.Commits {
		if !b.Pull.Local && c.OID == b.Pull.Head.OID && !c.At.IsZero() && c.At.Before(brought) {
			brought = c.At
		}
	}
	for _, x := range []struct {
		kase string
		v    plan.Value
	}{{"created", q.Card.Created}, {"window", q.Card.WindowTo}} {
		day, ok := dayOf(x.v.Text)
		// A day more is left for time zones.
		if ok && day.After(brought.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)) {
			b.Find(x.kase, x.v.At, "date", x.v.Text, "time", brought.UTC().Format(time.DateOnly))
		}
	}
}

// exporterBefore: what an exporter wrote is not older than the exporter.
func exporterBefore(b *Bench) {
	q := b.Request
	if q == nil || q.Exporter.Made.Absent || q.Exporter.Made.At.IsZero() {
		return
	}
	made := q.Exporter.Made.At.UTC()
	day, ok := dayOf(q.Card.Created.Text)
	// A day is left for time zones.
	if ok && day.AddDate(0, 0, 1).Before(made.Truncate(24*time.Hour)) {
		f := b.Find("before", q.Card.Created.At, "date", q.Card.Created.Text, "commit", short(strings.ToLower(q.Card.ExporterCommit.Text)), "time", made.Format(time.DateOnly))
		namer{ours: b.changed(q.CardPath)}.soften(f, b.row, b.Policy.Profile)
	}
	if path := strings.TrimPrefix(q.Card.Exporter.Text, "./"); !b.exporterThen(path) {
		f := b.Find("not_then", q.Card.ExporterCommit.At, "path", path, "commit", short(strings.ToLower(q.Card.ExporterCommit.Text)))
		f.Severity = finding.Warning
	}
}

// exporterThen tells whether the exporter's commit has an exporter: under the
// name that the card gives, or under one that it had before it was renamed. What
// was moved keeps its bytes or its last name; what was given another one is
// still an exporter by the policy's patterns. An exporter of elsewhere is nobody's
// to look for.
func (b *Bench) exporterThen(path string) bool {
	then := b.Request.Exporter.Tree
	now, here := b.HeadTree.Entries[path]
	if !here || then.Absent || then.Truncated || then.Entries == nil {
		return true
	}
	if _, same := then.Entries[path]; same {
		return true
	}
	base := path[strings.LastIndexByte(path, '/')+1:]
	for was, e := range then.Entries {
		named := strings.HasSuffix(was, "/"+base) || was == base
		if e.OID == now.OID || named || slices.ContainsFunc(b.Policy.Datasets.Exporters, func(p string) bool { return policy.Match(p, was) }) {
			return true
		}
	}
	return false
}

// dayOf reads a date as ISO 8601 writes it, alone or before a time.
func dayOf(s string) (time.Time, bool) {
	if len(s) < len(time.DateOnly) {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	return day, err == nil
}

var firstNumber = regexp.MustCompile(`^\D{0,40}?(\d[\d ,\x{a0}\x{202f}]{0,12})`)

// manualQA: people cannot read more samples than there are.
func manualQA(b *Bench) {
	q := b.Request
	if q == nil || q.Dataset.Scan.Facts == nil {
		return
	}
	v, ok := q.Plan.Get(plan.ManualQA)
	m := firstNumber.FindStringSubmatch(v.Text)
	if !ok || m == nil {
		return
	}
	n, err := strconv.Atoi(strings.NewReplacer(" ", "", ",", "", "\u00a0", "", "\u202f", "").Replace(m[1]))
	if err != nil {
		return
	}
	most := q.Dataset.Scan.Facts.Records
	if e := q.Evaluation.Scan.Facts; e != nil {
		most = max(most, e.Records)
	}
	if n > most {
		b.Find("too_many", v.At, "n", count(n), "records", count(most))
	}
}
