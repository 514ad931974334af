package rules

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// datasetBytes passes on what the scan found, both datasets' findings, with
// the limits applied: a rule that few enough records break only notes it.
func datasetBytes(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, d := range []dossier.Dataset{q.Dataset, q.Evaluation} {
		if d.Scan.Pending {
			b.check.Pending = &Progress{Done: d.Scan.Done, Total: d.Scan.Total}
		}
		if d.Scan.Facts == nil {
			continue
		}
		found, hidden := Weighed(d.Scan.Facts, d.Path)
		for i := range found {
			// Without its numbers the dataset that gives the baseline is no evidence.
			if found[i].Rule == "DS007" && d.Path == q.Dataset.Path {
				found[i].Severity = finding.Error
			}
			waive(&found[i], d.Scan.Facts.SHA256, b.waivers, b.Pull.Now)
			b.find(found[i])
		}
		for rule, n := range hidden {
			if b.check.Hidden == nil {
				b.check.Hidden = map[string]int{}
			}
			b.check.Hidden[rule] += n
		}
		b.Verified("scanned", "path", d.Path, "records", count(d.Scan.Facts.Records), "bytes", bytesText(d.Scan.Facts.Bytes), "sha256", d.Scan.Facts.SHA256)
	}
}

// Weighed are a scan's findings with the default limits applied, and how many
// findings of each rule are not among them.
func Weighed(f *dataset.Facts, path string) ([]finding.Finding, map[string]int) {
	total := map[string]int{}  // per rule, at warning or above
	listed := map[string]int{} // per rule, in the findings
	all := map[string]int{}
	for _, c := range f.Counts {
		all[c.Rule] += c.N
		if c.Severity != finding.Note {
			total[c.Rule] += c.N
		}
	}
	out := slices.Clone(f.Findings)
	for i := range out {
		x := &out[i]
		x.At.Path = path
		listed[x.Rule]++
		row, ok := Find(x.Rule)
		if ok && row.Limit != "" && x.Severity.Rank() <= row.Starter.Rank() && within(total[x.Rule], f.Records, row.Limit) {
			x.Severity = finding.Note
		}
	}
	hidden := map[string]int{}
	for rule, n := range all {
		if n > listed[rule] {
			hidden[rule] = n - listed[rule]
		}
	}
	return out, hidden
}

// within tells whether n of total records stay within a share.
func within(n, total int, limit string) bool {
	share := decimal.RequireFromString(limit)
	return decimal.NewFromInt(int64(n)).Cmp(share.Mul(decimal.NewFromInt(int64(total)))) <= 0
}

// datasetThere: the plan names a dataset and its bytes can be had.
func datasetThere(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	if !q.Dataset.Named {
		b.Find("missing", b.place(plan.Dataset))
	}
	for f, d := range map[plan.Field]dossier.Dataset{plan.Dataset: q.Dataset, plan.EvaluationDataset: q.Evaluation} {
		v, ok := q.Plan.Get(f)
		if !ok || !d.Named {
			continue
		}
		switch {
		case unread[d.Scan.Refused] != "":
			b.Find(unread[d.Scan.Refused], v.At, "path", v.Text)
		case d.URI && d.Scan.TooLarge:
			b.Find("object_too_large", v.At, "path", v.Text)
		case d.URI && (!d.Known || d.Scan.Absent):
			b.Find("unreachable", v.At, "path", v.Text)
		case d.URI:
		case d.Path == "":
			b.Find("bad_path", v.At, "path", v.Text)
		case !d.Found && !b.Truncated:
			b.Find("absent", v.At, "path", v.Text)
		case d.Found && !d.Entry.Regular():
			b.Find("not_a_file", v.At, "path", v.Text)
		case d.Scan.Pointer != "":
			b.Find("lfs_object", v.At, "path", v.Text)
		case d.Scan.TooLarge:
			b.Find("too_large", v.At, "path", v.Text)
		case d.Scan.Absent:
			b.Find("absent", v.At, "path", v.Text)
		}
	}
}

// unread are the cases for bytes that are not read, or do not count.
var unread = map[string]string{
	facts.RefusedBucket:  "refused",
	facts.RefusedNoStore: "no_store",
	facts.RefusedByStore: "store_refuses",
	facts.RefusedAddress: "address",
	facts.RefusedDiffers: "lfs_differs",
	facts.RefusedChanged: "changed",
	facts.RefusedSchema:  "record_schema",
}

// sameHash: bytes, plan and data card name one sha256.
func sameHash(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	same := true
	check := func(scan *dataset.Facts, v plan.Value, ok bool, kase string) {
		if scan == nil || !ok || v.Text == "" {
			same = same && ok
			return
		}
		if !strings.EqualFold(v.Text, scan.SHA256) {
			same = false
			if kase == "plan" && !form.SHA256(strings.ToLower(v.Text)) {
				return // CF005 told that it is no hash
			}
			f := b.Find(kase, v.At, "stated", abbreviated(v.Text), "computed", abbreviated(scan.SHA256), "path", scan.Path)
			f.Mend = replace(v, scan.SHA256)
		}
	}
	v, ok := q.Plan.Get(plan.DatasetSHA256)
	check(q.Dataset.Scan.Facts, v, ok, "plan")
	if q.CardFile.Readable() {
		check(q.Dataset.Scan.Facts, q.Card.SHA256, q.Card.SHA256.Text != "", "card")
	}
	if v, ok := q.Plan.Get(plan.EvaluationSHA256); ok {
		check(q.Evaluation.Scan.Facts, v, ok, "plan")
	}
	if scan := q.Dataset.Scan.Facts; scan != nil && same {
		key := "same_hash_plan"
		if q.Card.SHA256.Text != "" {
			key = "same_hash"
		}
		b.Verified(key, "bytes", bytesText(scan.Bytes))
	}
}

func abbreviated(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}

// sameCounts: records and bytes are the data card's; an empty dataset is none.
func sameCounts(b *Bench) {
	q := b.Request
	if q == nil || q.Dataset.Scan.Facts == nil {
		return
	}
	scan := q.Dataset.Scan.Facts
	if scan.Records == 0 {
		b.Find("no_records", b.datasetLine(), "path", scan.Path)
	}
	if !q.CardFile.Readable() {
		return
	}
	if v := q.Card.Records; v.Text != "" {
		if stated, err := v.Integer(); err != nil || stated != int64(scan.Records) {
			f := b.Find("records", v.At, "stated", v.Text, "computed", count(scan.Records))
			f.Mend = replace(v, count(scan.Records))
		}
	}
	if v := q.Card.Bytes; v.Text != "" {
		if stated, ok := v.Bytes(); !ok || stated != scan.Bytes {
			f := b.Find("bytes", v.At, "stated", v.Text, "computed", bytesText(scan.Bytes))
			f.Mend = replace(v, strconv.FormatInt(scan.Bytes, 10)+" bytes")
		}
	}
}

// schemaPinned: plan or card say which record schema the export follows.
func schemaPinned(b *Bench) {
	q := b.Request
	if q == nil || !q.CardFile.Readable() {
		return
	}
	if q.Card.Schema.Text == "" {
		b.Find("missing", top(q.CardPath), "path", q.CardPath)
	}
}

// notFromTheFuture: no record is younger than now.
func notFromTheFuture(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, d := range []dossier.Dataset{q.Dataset, q.Evaluation} {
		if s := d.Scan.Facts; s != nil && s.LastTimestamp.After(b.Pull.Now) {
			b.Find("future", finding.Position{Path: d.Path, Line: 1}, "time", s.LastTimestamp.UTC().Format(time.RFC3339))
		}
	}
}
