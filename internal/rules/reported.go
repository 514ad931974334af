package rules

import (
	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/report"
)

// reportedResults: results that a pull request brings can be read and say that
// they are of the sign-off that stands. Whether they are true nobody here knows.
func reportedResults(b *Bench) {
	for _, r := range b.Reported {
		at := finding.Position{Path: r.Candidate.Path}
		evidence, signed := report.EvidenceOf(b.Records, r.Pilot)
		switch {
		case !r.Any(): // taken away: what was evaluated of them is in the evidence
		case b.RecordsBroken:
			b.Find("ledger_broken", at)
		case !signed:
			b.Find("not_signed_off", at, "pilot", r.Pilot)
		case evidence.Evaluation != nil:
			b.Find("evaluated", at, "pilot", r.Pilot)
		default:
			got, refused := JudgeReported(r, evidence.Signoff.Record)
			if refused != nil {
				b.find(*refused)
				continue
			}
			b.Verified("reported", "pilot", r.Pilot, "n", count(len(got.Candidate.Samples)))
		}
	}
}

// JudgeReported reads results that people brought and holds what they say
// against a sign-off; the finding is why they are refused.
func JudgeReported(r dossier.Reported, signed ledger.Record) (Results, *finding.Finding) {
	f := finding.Finding{Rule: "RP006", At: finding.Position{Path: r.Candidate.Path}, Args: map[string]string{"pilot": r.Pilot}}
	if file, is := r.Unreadable(); is {
		f.At.Path, f.Case = file.Path, "missing"
		if file.Blob.TooLarge {
			f.Case = "too_large"
		}
		return Results{}, &f
	}
	got := ReadResults(r.Manifest.Blob.Bytes, r.Baseline.Blob.Bytes, r.Candidate.Blob.Bytes)
	kase, args := got.Refused(signed)
	if kase == "" {
		return got, nil
	}
	f.Case = kase
	for i := 0; i+1 < len(args); i += 2 {
		f.Args[args[i]] = args[i+1]
	}
	return got, &f
}
