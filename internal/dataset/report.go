package dataset

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"sync/atomic"
	"unicode/utf8"

	"github.com/pilotgate/pilotgate/internal/finding"
)

// report adds blocks up in the order of the file.
type report struct {
	o    *Options
	full *[4]atomic.Bool

	total   tally
	lines   int // of the blocks so far
	ids     lineTable
	sources lineTable
	near    nearTable
	warmth  uint64 // of lineTable.warm, so that it is not left out
	windows windows
	index   *Index
}

func (r *report) init(o *Options, full *[4]atomic.Bool) {
	r.o, r.full = o, full
	r.windows = make(windows)
	if o.KeepIndex {
		r.index = &Index{path: o.Path}
	}
}

func (r *report) add(b *block) {
	b.out.shift(r.lines)
	r.lines += b.lines
	r.repeats(b)
	t, out := &r.total, &b.out
	t.records += out.records
	for c := range out.counts {
		t.counts[c].records += out.counts[c].records
		t.counts[c].places += out.counts[c].places
	}
	for rank := range out.places {
		list := out.places[rank]
		slices.SortStableFunc(list, func(a, b place) int { return cmp.Compare(a.line, b.line) })
		for _, p := range list {
			if row := p.c.row(); row.oncePerRun && t.counts[p.c].places > out.counts[p.c].places {
				continue
			}
			if len(t.places[rank]) < r.o.MaxFindings {
				t.places[rank] = append(t.places[rank], p)
			}
		}
		r.full[rank].Store(len(t.places[rank]) >= r.o.MaxFindings)
	}
	t.languages.merge(&out.languages)
	t.channels.merge(&out.channels)
	t.models.merge(&out.models)
	t.prompts.merge(&out.prompts)
	t.judges.merge(&out.judges)
	t.verdicts.merge(&out.verdicts)
	if out.first.set && (!t.first.set || out.first.before(t.first)) {
		t.first = out.first
	}
	if out.last.set && (!t.last.set || t.last.before(out.last)) {
		t.last, t.lastLine = out.last, out.lastLine
	}
}

// repeats looks for records that were there before, here or in the evaluation
// dataset. A record that repeats one exactly is not told as near to it too.
func (r *report) repeats(b *block) {
	if r.o.Without.Duplicates {
		return
	}
	for i := range b.out.entries {
		e := &b.out.entries[i]
		r.warmth += r.ids.warm(e.idHash) + r.sources.warm(e.srcHash)
	}
	for i := range b.out.sketches {
		r.warmth += r.near.warm(&b.out.sketches[i])
	}
	const id, source, first = "/sample_id", "/source_text", "first_line"
	for i := range b.out.entries {
		e := &b.out.entries[i]
		var s *sketch
		if e.sketch >= 0 {
			s = &b.out.sketches[e.sketch]
		}
		if e.idHash != 0 {
			if line := r.ids.seen(e.idHash, e.line); line != 0 {
				r.tell(b, e, idRepeated, e.id, id, first, line)
			}
		}
		same := 0
		if e.srcHash != 0 {
			if same = r.sources.seen(e.srcHash, e.line); same != 0 {
				r.tell(b, e, sourceRepeated, e.source, source, first, same)
			}
		}
		if s != nil && same == 0 {
			if line := r.near.find(s); line != 0 {
				r.tell(b, e, sourceNear, e.source, source, first, line)
			}
			r.near.add(s, e.line)
		}
		if r.o.Evaluation != nil {
			r.evaluation(b, e, s)
		}
		if r.index != nil {
			r.index.keep(e, s)
		}
	}
}

// evaluation compares a training record with the evaluation dataset.
func (r *report) evaluation(b *block, e *entry, s *sketch) {
	const arg = "evaluation_line"
	x := r.o.Evaluation
	if e.idHash != 0 {
		if line := x.ids.line(e.idHash); line != 0 {
			r.tell(b, e, evalID, e.id, "/sample_id", arg, line)
		}
	}
	same := 0
	if e.srcHash != 0 {
		if same = x.sources.line(e.srcHash); same != 0 {
			r.tell(b, e, evalSource, e.source, "/source_text", arg, same)
		}
	}
	if e.sumHash != 0 {
		if line := x.summaries.line(e.sumHash); line != 0 {
			r.tell(b, e, evalSummary, e.summary, "/"+rolePaths[e.summaryRole], arg, line)
		}
	}
	if s != nil && same == 0 {
		if line := x.near.find(s); line != 0 {
			r.tell(b, e, evalNear, e.source, "/source_text", arg, line)
		}
	}
	if e.at.set {
		r.windows.add(e.chanHash, e.at)
	}
}

// overlaps tells of evaluation records inside the training window of their
// channel (DS042), at the place of the evaluation record.
func (r *report) overlaps() {
	if r.o.Evaluation == nil {
		return
	}
	rank := rankOf(evalWindow.row().severity)
	for _, m := range r.o.Evaluation.moments {
		if !r.windows.holds(m) {
			continue
		}
		k := &r.total.counts[evalWindow]
		k.places++
		k.records++
		if len(r.total.places[rank]) < r.o.MaxFindings {
			r.total.places[rank] = append(r.total.places[rank], place{
				c: evalWindow, path: r.o.Evaluation.path, line: m.line, column: 1, args: map[string]string{"evaluation_line": strconv.Itoa(m.line)},
			})
		}
	}
}

// shortfall tells that not all records were remembered for DS032 or DS041.
func (r *report) shortfall() {
	if !r.near.partial && (r.o.Evaluation == nil || !r.o.Evaluation.near.partial) {
		return
	}
	k := &r.total.counts[nearPartial]
	k.places++
	k.records++
	rank := rankOf(nearPartial.row().severity)
	if list := &r.total.places[rank]; len(*list) < r.o.MaxFindings {
		*list = append(*list, place{c: nearPartial, args: map[string]string{"compared": strconv.Itoa(maxNear)}})
	}
}

// tell adds a finding about a record that b holds.
func (r *report) tell(b *block, e *entry, c caseID, at span, pointer, arg string, line int) {
	t := &b.out
	t.count(c, e.line)
	rank := rankOf(c.row().severity)
	if r.full[rank].Load() {
		return
	}
	shift := 0
	if e.line == 1 {
		shift = b.skipped
	}
	t.places[rank] = append(t.places[rank], place{
		c: c, line: e.line, pointer: pointer,
		at:     span{at.start + shift, at.end + shift},
		column: utf8.RuneCount(b.buf[e.offset:e.offset+at.start]) + 1,
		args:   map[string]string{arg: strconv.Itoa(line)},
	})
}

func (r *report) facts() Facts {
	r.overlaps()
	r.shortfall()
	t := &r.total
	f := Facts{
		Path: r.o.Path, Records: t.records,
		ByVerdict: t.verdicts.counts(), Languages: t.languages.counts(), Channels: t.channels.counts(),
		Models: t.models.order, PromptVersions: t.prompts.order, JudgeModels: t.judges.order,
		FirstTimestamp: t.first.time(), LastTimestamp: t.last.time(),
		FutureFrom: t.last.time(), FutureFromLine: t.lastLine,
		Index: r.index,
	}
	for c := range t.counts {
		if n := t.counts[c]; n.places > 0 {
			row := caseID(c).row()
			f.Counts = append(f.Counts, Count{row.rule, row.name, row.severity, n.records, n.places})
		}
	}
	slices.SortFunc(f.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Case, b.Case), cmp.Compare(b.Severity.Rank(), a.Severity.Rank()))
	})
	f.Findings = r.findings()
	return f
}

// findings words the listed places: the most severe up to the cap, in the order
// of the file, with equal values grouped.
func (r *report) findings() []finding.Finding {
	var list []place
	for rank := len(r.total.places) - 1; rank > 0; rank-- {
		room := r.o.MaxFindings - len(list)
		list = append(list, r.total.places[rank][:min(room, len(r.total.places[rank]))]...)
	}
	slices.SortStableFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.at.start, b.at.start), cmp.Compare(a.c, b.c))
	})
	groups := make(map[string]int)
	ofRule := make(map[string]int)
	out := make([]finding.Finding, 0, len(list))
	for _, p := range list {
		row := p.c.row()
		f := finding.Finding{
			Rule: row.rule, Case: row.name, Severity: row.severity,
			At:   finding.Position{Path: cmp.Or(p.path, r.o.Path), Line: p.line, Column: p.column},
			Args: p.args,
		}
		if p.line > 0 && p.c != evalWindow {
			f.Record = &finding.Record{
				ByteStart: p.at.start, ByteEnd: p.at.end, Pointer: p.pointer, Length: p.at.end - p.at.start,
			}
		}
		if len(p.value) > 0 {
			key := row.rule + "\x00" + string(p.value)
			if groups[key] == 0 {
				ofRule[row.rule]++
				groups[key] = ofRule[row.rule]
			}
			f.Record.Group = groups[key]
			if r.o.Key != nil {
				f.Record.Fingerprint = fingerprint(r.o.Key, row.rule, p.value)
			}
		}
		if f.Record != nil && p.c >= schemaMissing {
			if f.Args == nil {
				f.Args = make(map[string]string, 1)
			}
			f.Args["pointer"] = cmp.Or(p.pointer, "/") // the record itself
		}
		out = append(out, f)
	}
	return out
}

// fingerprint of a value of a kind: 8 hex digits of an HMAC, so that nobody
// without the run's key can try all phone numbers.
func fingerprint(key []byte, rule string, value []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(rule))
	mac.Write([]byte{0})
	mac.Write(value)
	return hex.EncodeToString(mac.Sum(nil)[:4])
}
