package rules

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// waiver is one of the policy, or of the plan itself: that one takes effect with
// both roles' approval of the plan, which without it could not be merged. Its
// finding stays a warning, so that whoever approves has seen it.
type waiver struct {
	policy.Waiver
	inPlan bool
}

// waiversOf are the waivers of a request, the policy's first. One of the plan that
// is not complete is told by PL011 and waives nothing; where it names no file, it
// is about the datasets that the plan pins.
func waiversOf(d *dossier.Dossier) []waiver {
	var out []waiver
	for _, w := range d.Policy.Waivers {
		out = append(out, waiver{Waiver: w})
	}
	if d.Request == nil {
		return out
	}
	for _, w := range d.Request.Plan.Waivers {
		line, err := strconv.Atoi(w.Line.Text)
		expires, bad := time.Parse(time.DateOnly, w.Expires.Text)
		if err != nil || line < 1 || bad != nil || w.Rule.Text == "" || w.Owner.Text == "" || w.Reason.Text == "" {
			continue
		}
		out = append(out, waiver{policy.Waiver{
			Rule: w.Rule.Text, FileSHA256: strings.ToLower(w.FileSHA256.Text), Line: line, Pointer: w.Pointer.Text,
			Owner: w.Owner.Text, Reason: w.Reason.Text, Expires: expires, At: w.Rule.At,
		}, true})
	}
	return out
}

// waive lowers a finding that somebody answers for.
func waive(f *finding.Finding, sha string, waivers []waiver, now time.Time) {
	w, ok := waiverOf(f, sha, waivers, now)
	if !ok || w.Expired(now) {
		return
	}
	args := maps.Clone(f.Args)
	if args == nil {
		args = map[string]string{}
	}
	args["owner"], args["reason"], args["expires"] = w.Owner, w.Reason, w.Expires.Format(time.DateOnly)
	f.Args = args
	if w.inPlan {
		args[WaivedInPlan] = w.Rule
		if f.Severity.Rank() > finding.Warning.Rank() {
			f.Severity = finding.Warning
		}
		return
	}
	f.Severity = finding.Note
}

// WaivedInPlan is the argument of a finding that the plan itself waives.
const WaivedInPlan = "waived_in_plan"

// waiverOf finds who answers for a finding: same rule, bytes, line and pointer.
// An expired waiver is told where no other is in force.
func waiverOf(f *finding.Finding, sha string, waivers []waiver, now time.Time) (last waiver, ok bool) {
	pointer := ""
	if f.Record != nil {
		pointer = f.Record.Pointer
	}
	for _, w := range waivers {
		sameFile := w.FileSHA256 == sha || w.FileSHA256 == "" && w.inPlan
		if w.Rule != f.Rule || !sameFile || w.Line != f.At.Line || w.Pointer != "" && w.Pointer != pointer {
			continue
		}
		if last, ok = w, true; !w.Expired(now) {
			break
		}
	}
	return last, ok
}

// waiversInForce: a finding whose waiver has expired counts again, and whoever
// answered for it is told.
func waiversInForce(b *Bench) {
	q := b.Request
	if q == nil {
		return
	}
	for _, d := range []dossier.Dataset{q.Dataset, q.Evaluation} {
		if d.Scan.Facts == nil {
			continue
		}
		for i := range d.Scan.Facts.Findings {
			f := &d.Scan.Facts.Findings[i]
			w, ok := waiverOf(f, d.Scan.Facts.SHA256, b.waivers, b.Pull.Now)
			if !ok || !w.Expired(b.Pull.Now) {
				continue
			}
			at, kase := f.At, "expired"
			if at.Path = d.Path; w.inPlan {
				at, kase = w.At, "expired_in_plan"
				at.Path = q.Path
			}
			b.Find(kase, at, "rule", f.Rule, "record", strconv.Itoa(f.At.Line), "who", w.Owner, "until", w.Expires.Format(time.DateOnly))
		}
	}
}
