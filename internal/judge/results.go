package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// ResultArtifact is the artifact in which a launched run leaves its results:
// manifest.json, candidate.json and baseline.json.
const ResultArtifact = "pilot-result"

// unfinishedAfter is how long a run may take before people are told: GitHub
// itself ends a job of one's own machines after five days.
const unfinishedAfter = 6 * 24 * time.Hour

// result is what was found in the artifact of the launched run.
type result struct {
	info    facts.ArtifactInfo
	content facts.Artifact
	rules.Results
}

// acceptances are the conditions under which results are used, in the order in
// which they are told: the first that does not hold is the sentence
// launch.refused_<key>. What the results must say of themselves follows, see
// rules.Results. Run, event, path and head were compared at the gate, and
// the run is known by its id.
var acceptances = []struct {
	key   string
	holds func(v *PilotVerdict, r *result) bool
}{
	{"expired", func(_ *PilotVerdict, r *result) bool { return !r.info.Expired && !r.content.Absent }},
	{"other_code", func(v *PilotVerdict, r *result) bool {
		return r.info.HeadOID == v.Launch.Run.HeadOID && r.info.HeadRepo == v.Launch.Run.HeadRepo
	}},
	{"too_large", func(_ *PilotVerdict, r *result) bool { return !r.content.TooLarge }},
	{"no_zip", func(_ *PilotVerdict, r *result) bool { return !r.content.Broken }},
	{"artifact_differs", func(_ *PilotVerdict, r *result) bool {
		return r.info.Digest == "" || r.info.Digest == "sha256:"+r.content.SHA256
	}},
}

// openResults judges what became of the launched run, once its launch is on
// record.
func (v *PilotVerdict) openResults(s *facts.Pilot) []facts.Need {
	l := &v.Launch
	if v.State != SignedOff || v.Request == nil || l.Record == nil || l.Ended != "" {
		return nil
	}
	args := map[string]string{"pilot": v.ID, "launched": runNumber(l.Record), "number": planNumber(s)}
	r := l.Run
	switch {
	case l.Evaluation != nil:
		return nil // openReported tells it
	case l.Outside:
		return v.openAnswer(s, args)
	case r.ID == 0:
		v.say("run_gone", args, nil)
		return nil
	case !r.Completed():
		if until := r.CreatedAt.Add(unfinishedAfter); s.Now.Before(until) {
			l.again = until
			v.say("under_training", args, nil)
			if l.StartedByUs(s) {
				v.say("unguarded", with(args, []string{"environment", v.Policy.Environment}), nil)
			}
		} else {
			v.say("unfinished", args, nil)
		}
		return nil
	case r.Conclusion == "cancelled", r.Conclusion == "timed_out", r.Conclusion == "skipped", r.Conclusion == "action_required", r.Conclusion == "neutral", r.Conclusion == "stale":
		key := "ended_otherwise"
		if r.Conclusion == "cancelled" || r.Conclusion == "timed_out" {
			key = r.Conclusion
		}
		v.say(key, args, nil)
		return nil
	}
	found, needs := l.artifact(s)
	if len(needs) > 0 {
		return needs
	}
	if found == nil {
		if r.Conclusion == "success" {
			v.say("refused_absent", args, nil)
			return nil
		}
		return v.failed(s, "no_result") // no JSON is no failed training
	}
	if r.Conclusion != "success" {
		if found.Manifest.InfrastructureError != "" {
			return v.failed(s, "infrastructure_error")
		}
		v.say("training_failed", args, nil)
		return nil
	}
	for _, a := range acceptances {
		if !a.holds(v, found) {
			v.say("refused_"+a.key, args, nil)
			return nil
		}
	}
	key, pairs := found.Refused(v.Entry.Record)
	if key == "" {
		launched := v.Launch.Record.Record
		pairs, key = v.evaluate(source{
			results: found.Results, name: strconv.FormatInt(r.ID, 10), of: launched, at: r.UpdatedAt,
			subjects:    []ledger.Subject{{Name: "artifact", URI: ResultArtifact + "/" + strconv.FormatInt(found.info.ID, 10), SHA256: found.content.SHA256}},
			ingredients: map[string]string{"launch": launched.Digest, "artifact": "sha256:" + found.content.SHA256},
			unique:      launched.Digest + "\n" + found.content.SHA256,
		})
	}
	if key != "" {
		v.say("refused_"+key, with(args, pairs), nil)
		return nil
	}
	return v.branchNeed(s)
}

// with adds pairs of name and value.
func with(args map[string]string, pairs []string) map[string]string {
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return args
}

// artifact reads the run's result. An artifact that came after the attempt
// ended is not that attempt's.
func (l *Launch) artifact(s *facts.Pilot) (*result, []facts.Need) {
	list := facts.Need{Kind: facts.NeedArtifacts, ID: l.Run.ID}
	if !s.Answered(list) {
		return nil, []facts.Need{list}
	}
	var r *result
	for _, a := range s.Artifacts[list.Key()].List {
		if a.Name == ResultArtifact && !a.CreatedAt.After(l.Run.UpdatedAt) && (r == nil || a.ID > r.info.ID) {
			r = &result{info: a}
		}
	}
	if r == nil || r.info.Expired {
		return r, nil
	}
	n := facts.Need{Kind: facts.NeedArtifact, ID: r.info.ID}
	if !s.Answered(n) {
		return nil, []facts.Need{n}
	}
	r.content = s.Contents[n.Key()]
	files := r.content.Files
	r.Results = rules.ReadResults(files[rules.ManifestFile], files[rules.BaselineFile], files[rules.CandidateFile])
	return r, nil
}

// failed puts on record that the machines failed, so that one more run may be
// launched.
func (v *PilotVerdict) failed(s *facts.Pilot, reason string) []facts.Need {
	launched := v.Launch.Record.Record
	sum := sha256.Sum256([]byte("pilotgate/failure/v1\n" + launched.Digest + "\n"))
	v.Launch.Due = &ledger.Record{Kind: ledger.KindFailure, Subjects: launched.Subjects, Predicate: launched.Predicate}
	p := &v.Launch.Due.Predicate
	p.Digest, p.Reason, p.Launch, p.Prev = "sha256:"+hex.EncodeToString(sum[:]), reason, nil, ""
	p.Ingredients = map[string]string{"launch": launched.Digest, "conclusion": v.Launch.Run.Conclusion}
	p.CreatedAt = v.Launch.Run.UpdatedAt.UTC().Truncate(time.Second)
	return v.branchNeed(s)
}

func (v *PilotVerdict) branchNeed(s *facts.Pilot) []facts.Need {
	n := facts.Need{Kind: facts.NeedBranch, Branch: s.Repository.DefaultBranch}
	if s.Answered(n) {
		return nil
	}
	return []facts.Need{n}
}
