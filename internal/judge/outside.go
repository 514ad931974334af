package judge

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// A trainer outside GitHub Actions is asked by a deployment of ours, once a
// sign-off, and answers with a deployment status that names a commit of this
// repository. What counts there is the manifest, signed with a key that the
// default branch's policy lists: who made the status or the commit proves
// nothing, and no URL of theirs is followed.

// ManifestType is the DSSE payload type under which a trainer signs manifest.json.
const ManifestType = "application/vnd.pilotgate.manifest+json"

// AnswerFolder holds a trainer's files in the commit that the answer names.
const AnswerFolder = "pilot-result/"

// SignedManifest is the envelope among them, beside baseline and candidate.
const SignedManifest = "manifest.dsse.json"

// answerOf is the description of a status that answers: "results <commit>".
var answerOf = regexp.MustCompile(`^results ([0-9a-f]{40})$`)

// maxAnswers caps the answers to one deployment that are read, the newest first.
const maxAnswers = 5

// trainedOutside tells whether a trainer outside Actions is asked: the policy
// lists one, and there is no workflow whose runs could be the launch.
func (v *PilotVerdict) trainedOutside() bool {
	if r := v.Launch.Record; r != nil {
		return r.Record.Run.Deployment
	}
	_, workflow := v.Tree.Entries[v.Policy.Workflows.Training]
	return !workflow && len(v.Policy.Trainers) > 0 && form.Pilot(v.ID) && v.Policy.Enforcement != policy.Observe
}

// openOutside finds the deployment that asks, or says that it is to be made now.
func (v *PilotVerdict) openOutside(s *facts.Pilot) []facts.Need {
	l := &v.Launch
	l.Outside = true
	if v.State != SignedOff || l.Ended != "" || l.Record == nil && l.Evaluation != nil {
		return nil
	}
	var needs []facts.Need
	claim, made := facts.Need{Kind: facts.NeedClaim, Ref: l.ClaimRef}, facts.Need{Kind: facts.NeedDeployed, Environment: v.Policy.Environment}
	if l.Record == nil && !s.Answered(claim) {
		needs = append(needs, claim)
	}
	if !s.Answered(made) {
		needs = append(needs, made)
	}
	if len(needs) > 0 {
		return needs
	}
	l.Claimed = readClaim(s.Claims[claim.Key()])
	if needs := l.ordered(s, s.Deployments[made.Key()]); len(needs) > 0 || l.Record != nil {
		return needs
	}
	g := gate{s: s, v: v, l: l}
	switch {
	case l.Run.ID != 0 && l.Claimed.Found && !l.Claimed.Foreign:
		record := v.launchRecord(s, l.Run, v.Tree)
		l.Due = &record
		return v.branchNeed(s)
	case l.Claimed.Found && !l.Claimed.Foreign:
		v.lostOrder(s)
		return nil
	}
	if needs := g.open(nil, true); len(needs) > 0 || g.pending() {
		return needs
	}
	if why, _, barred := g.judgeStart(); barred {
		v.say("start_barred", g.args(nil), &why)
	} else {
		l.Dispatch = true
	}
	return nil
}

// ordered finds the deployment of this launch, the lowest id, as a run.
func (l *Launch) ordered(s *facts.Pilot, all []facts.Deployment) []facts.Need {
	for _, d := range slices.Backward(all) {
		if d.Training == nil || d.Training.Launch != l.Digest || d.Training.Pilot != s.ID {
			continue
		}
		reports := facts.Need{Kind: facts.NeedReports, ID: d.ID}
		if !s.Answered(reports) {
			return []facts.Need{reports}
		}
		l.Run = facts.Run{
			ID: d.ID, Attempt: 1, Event: "deployment", HeadOID: d.Commit, Status: "in_progress",
			Actor: facts.Account{Login: s.App.Login, Type: "Bot"}, CreatedAt: d.CreatedAt, UpdatedAt: d.CreatedAt,
		}
		l.reports = s.Reports[reports.Key()]
		for _, r := range l.reports {
			if r.State == "success" || r.State == "failure" || r.State == "error" {
				l.Run.Status, l.Run.Conclusion, l.Run.UpdatedAt = "completed", r.State, r.At
				break
			}
		}
		return nil
	}
	return nil
}

// lostOrder: the deployment that we made is not seen. It is never made twice.
func (v *PilotVerdict) lostOrder(s *facts.Pilot) {
	if until := v.Launch.Claimed.At.Add(dispatchTime); s.Now.Before(until) {
		v.Launch.again = until
		return
	}
	v.say("order_lost", (&gate{s: s, v: v, l: &v.Launch}).args(nil), nil)
}

// answer is what one status of the deployment points at.
type answer struct {
	report   facts.Report
	commit   string
	manifest rules.Manifest
	raw      []byte // the envelope
	key      string
	files    [2]dossier.Document // baseline, candidate
	refused  string              // a sentence launch.outside_<key>
	args     []string
}

// openAnswer judges what the trainer answered.
func (v *PilotVerdict) openAnswer(s *facts.Pilot, args map[string]string) []facts.Need {
	l, r := &v.Launch, v.Launch.Run
	if r.ID == 0 {
		v.say("order_gone", args, nil)
		return nil
	}
	answers, needs := v.answers(s)
	if len(needs) > 0 {
		return needs
	}
	if i := slices.IndexFunc(answers, func(a answer) bool { return a.refused == "" }); i >= 0 {
		return v.accept(s, answers[i], args)
	}
	switch until := r.CreatedAt.Add(unfinishedAfter); {
	case len(answers) > 0:
		v.say("outside_"+answers[0].refused, with(args, answers[0].args), nil)
	case r.Completed() && r.Conclusion == "success":
		v.say("outside_no_results", args, nil)
	case r.Completed():
		v.say("outside_unsigned_failure", with(args, []string{"state", r.Conclusion}), nil)
	case s.Now.Before(until):
		l.again = until
		v.say("outside_asked", args, nil)
	default:
		v.say("outside_unfinished", args, nil)
	}
	return nil
}

// accept takes the signed answer: a failure of the machines, a failed training,
// or results.
func (v *PilotVerdict) accept(s *facts.Pilot, a answer, args map[string]string) []facts.Need {
	v.Launch.Run.UpdatedAt, v.Launch.Run.Conclusion = a.report.At, a.report.State
	if a.report.State != "success" {
		if a.manifest.InfrastructureError != "" {
			return v.failed(s, "infrastructure_error")
		}
		v.say("outside_training_failed", args, nil)
		return nil
	}
	results := rules.Results{Manifest: a.manifest}
	results.ReadSides(a.files[0].Blob.Bytes, a.files[1].Blob.Bytes)
	key, pairs := results.Refused(v.Entry.Record)
	if key == "" {
		launched := v.Launch.Record.Record
		sum := dossier.Hash(a.raw)
		pairs, key = v.evaluate(source{
			results: results, name: "deployment-" + strconv.FormatInt(v.Launch.Run.ID, 10), of: launched, at: a.report.At,
			subjects:    []ledger.Subject{{Name: "manifest", URI: AnswerFolder + SignedManifest, SHA256: sum}},
			ingredients: map[string]string{"launch": launched.Digest, "manifest": "sha256:" + sum, "trainer": a.key, "commit": a.commit},
			unique:      launched.Digest + "\n" + sum,
		})
	}
	if key != "" {
		v.sayFinding("outside_refused", args, finding.Finding{Rule: "RP006", Case: key, Args: with(map[string]string{"pilot": v.ID}, pairs)})
		return nil
	}
	return v.branchNeed(s)
}

// answers reads the commits that statuses name, the newest first.
func (v *PilotVerdict) answers(s *facts.Pilot) ([]answer, []facts.Need) {
	var out []answer
	var needs []facts.Need
	for _, r := range v.Launch.reports {
		m := answerOf.FindStringSubmatch(strings.TrimSpace(r.Description))
		terminal := r.State == "success" || r.State == "failure" || r.State == "error"
		if m == nil || !terminal || len(out) == maxAnswers {
			continue
		}
		a := answer{report: r, commit: m[1]}
		f := dossier.NewFiles(&s.Common, a.commit)
		envelope := f.Document(AnswerFolder + SignedManifest)
		a.files = [2]dossier.Document{f.Document(AnswerFolder + rules.BaselineFile), f.Document(AnswerFolder + rules.CandidateFile)}
		needs = append(needs, f.Needs()...)
		v.verify(&a, envelope)
		out = append(out, a)
	}
	return out, needs
}

// verify holds an answer's manifest against the listed keys, the deployment that
// it must be for, and the files beside it. A key counts if it was valid when
// GitHub took the status: what the manifest says of its time is the signer's word.
func (v *PilotVerdict) verify(a *answer, envelope dossier.Document) {
	refuse := func(key string, args ...string) {
		a.refused, a.args = key, append([]string{"commit", a.commit[:7]}, args...)
	}
	if !envelope.Readable() {
		refuse("no_manifest")
		return
	}
	a.raw = envelope.Blob.Bytes
	opened, err := ledger.OpenForeign(a.raw, ManifestType, dossier.TrainerKeys(v.Policy), a.report.At)
	a.key = opened.KeyID
	switch {
	case errors.Is(err, ledger.ErrUnknownKey):
		refuse("unknown_key", "key", a.key)
		return
	case errors.Is(err, ledger.ErrKeyWindow):
		refuse("key_window", "key", a.key)
		return
	case errors.Is(err, ledger.ErrBadSignature):
		refuse("bad_signature", "key", a.key)
		return
	case err != nil:
		refuse("unreadable")
		return
	}
	m, ok := rules.ParseManifest(opened.Payload)
	a.manifest = m
	switch {
	case !ok:
		refuse("unreadable")
	case m.Deployment != v.Launch.Run.ID || m.Pilot != v.ID || m.Signoff != v.Entry.Record.Digest:
		refuse("other_deployment", "other", strconv.FormatInt(m.Deployment, 10))
	case a.report.State != "success": // no results to compare
	default:
		for i, want := range []string{m.Files.Baseline, m.Files.Candidate} {
			if f := a.files[i]; !f.Readable() || dossier.Hash(f.Blob.Bytes) != strings.TrimPrefix(want, "sha256:") {
				refuse("file_differs", "path", f.Path)
				return
			}
		}
	}
}
