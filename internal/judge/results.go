package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// ResultArtifact is the artifact in which a launched run leaves its results:
// manifest.json, candidate.json and baseline.json.
const ResultArtifact = "pilot-result"

// unfinishedAfter is how long a run may take before people are told: GitHub
// itself ends a job of one's own machines after five days.
const unfinishedAfter = 6 * 24 * time.Hour

// Manifest is what the run says of itself, in manifest.json.
type Manifest struct {
	Schema  int    `json:"schema"`
	Pilot   string `json:"pilot"`
	Signoff string `json:"signoff"` // subject digest of the sign-off, "sha256:…"
	Dataset struct {
		SHA256 string `json:"sha256"` // measured before the training
	} `json:"dataset"`
	Model  evaluation.Model `json:"model"`
	Config struct {
		SHA256 string `json:"sha256"`
	} `json:"config"`
	GitCommit string `json:"git_commit"`
	StartedAt string `json:"started_at"`
	EndedAt   string `json:"ended_at"`
	// InfrastructureError says that the machines failed, not the training.
	InfrastructureError string `json:"infrastructure_error"`
}

// result is what was found in the artifact of the launched run.
type result struct {
	info                facts.ArtifactInfo
	content             facts.Artifact
	manifest            Manifest
	baseline, candidate benchmark.RunnerResult
	unreadable          string // file and rules
}

// acceptances are the conditions under which results are used, in the order in
// which they are told: the first that does not hold is the sentence
// launch.refused_<key>. Run, event, path and head were compared at the gate, and
// the run is known by its id.
var acceptances = []struct {
	key   string
	holds func(v *PilotVerdict, r *result) (args []string, ok bool)
}{
	{"expired", func(_ *PilotVerdict, r *result) ([]string, bool) { return nil, !r.info.Expired && !r.content.Absent }},
	{"other_code", func(v *PilotVerdict, r *result) ([]string, bool) {
		return nil, r.info.HeadOID == v.Launch.Run.HeadOID && r.info.HeadRepo == v.Launch.Run.HeadRepo
	}},
	{"too_large", func(_ *PilotVerdict, r *result) ([]string, bool) { return nil, !r.content.TooLarge }},
	{"no_zip", func(_ *PilotVerdict, r *result) ([]string, bool) { return nil, !r.content.Broken }},
	{"artifact_differs", func(_ *PilotVerdict, r *result) ([]string, bool) {
		return nil, r.info.Digest == "" || r.info.Digest == "sha256:"+r.content.SHA256
	}},
	{"unreadable", func(_ *PilotVerdict, r *result) ([]string, bool) {
		return []string{"what", r.unreadable}, r.unreadable == ""
	}},
	{"other_pilot", func(v *PilotVerdict, r *result) ([]string, bool) {
		return []string{"other", r.manifest.Pilot}, r.manifest.Pilot == v.ID
	}},
	{"other_signoff", func(v *PilotVerdict, r *result) ([]string, bool) {
		return nil, r.manifest.Signoff == v.Entry.Record.Digest
	}},
	{"dataset_differs", func(v *PilotVerdict, r *result) ([]string, bool) {
		signed := v.Entry.Record.Launch.Dataset.SHA256
		return []string{"measured", r.manifest.Dataset.SHA256, "signed", signed}, strings.TrimPrefix(r.manifest.Dataset.SHA256, "sha256:") == signed
	}},
	{"commit_differs", func(v *PilotVerdict, r *result) ([]string, bool) {
		signed := v.Entry.Record.Launch.GitCommit
		return []string{"measured", r.manifest.GitCommit, "signed", signed}, r.manifest.GitCommit == signed
	}},
	{"no_model", func(_ *PilotVerdict, r *result) ([]string, bool) {
		return nil, modelDigest.MatchString(r.manifest.Model.Digest) && r.manifest.Model.Name != ""
	}},
	{"other_scenario", func(v *PilotVerdict, r *result) ([]string, bool) {
		signed := v.Entry.Record.Launch.Scenario
		return []string{"signed", signed}, r.candidate.Scenario == signed && r.baseline.Scenario == signed
	}},
}

var modelDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// openResults judges what became of the launched run, once its launch is on
// record.
func (v *PilotVerdict) openResults(s *facts.Pilot) []facts.Need {
	l := &v.Launch
	if v.State != SignedOff || v.Request == nil || l.Record == nil || l.Ended != "" {
		return nil
	}
	for i, e := range v.Entries {
		if e.Record.Kind == ledger.KindEvaluation && e.Record.Pilot == v.ID && e.Record.Run != nil && e.Record.Run.Signoff == v.Entry.Digest {
			l.Evaluation = &v.Entries[i]
		}
	}
	args := map[string]string{"pilot": v.ID, "launched": runNumber(l.Record), "number": planNumber(s)}
	r := l.Run
	switch {
	case l.Evaluation != nil:
		v.say("evaluated", args, nil)
		return nil
	case r.ID == 0:
		v.say("run_gone", args, nil)
		return nil
	case !r.Completed():
		if until := r.CreatedAt.Add(unfinishedAfter); s.Now.Before(until) {
			l.again = until
			v.say("under_training", args, nil)
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
		if found.manifest.InfrastructureError != "" {
			return v.failed(s, "infrastructure_error")
		}
		v.say("training_failed", args, nil)
		return nil
	}
	for _, a := range acceptances {
		if pairs, ok := a.holds(v, found); !ok {
			for i := 0; i+1 < len(pairs); i += 2 {
				args[pairs[i]] = pairs[i+1]
			}
			v.say("refused_"+a.key, args, nil)
			return nil
		}
	}
	return v.evaluate(s, found)
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
	r.read()
	return r, nil
}

func (r *result) read() {
	var ok bool
	if r.manifest, ok = ParseManifest(r.content.Files["manifest.json"]); !ok {
		r.unreadable = "manifest.json"
		return
	}
	for _, side := range []struct {
		file string
		into *benchmark.RunnerResult
	}{{"baseline.json", &r.baseline}, {"candidate.json", &r.candidate}} {
		got, fs := benchmark.ParseResult(r.content.Files[side.file])
		if finding.Count(fs, finding.Error) > 0 || r.content.Files[side.file] == nil {
			r.unreadable = side.file
			for _, f := range fs {
				if f.Severity == finding.Error && !strings.Contains(r.unreadable, f.Rule) {
					r.unreadable += " " + f.Rule
				}
			}
			return
		}
		*side.into = got
	}
}

// maxManifest caps manifest.json, in bytes.
const maxManifest = 64 << 10

// ParseManifest reads manifest.json strictly: one object of schema 1, no key
// that is not known. What is read is returned also where it is refused.
func ParseManifest(src []byte) (Manifest, bool) {
	var m Manifest
	ok := strictJSON(src, &m)
	return m, ok && m.Schema == 1
}

func strictJSON(src []byte, into any) bool {
	if len(src) == 0 || len(src) > maxManifest {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
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

// evaluate judges the candidate, and makes the record of it with the samples
// that it rests on.
func (v *PilotVerdict) evaluate(s *facts.Pilot, r *result) []facts.Need {
	launched, signed := v.Launch.Record.Record, v.Entry.Record.Launch
	e := evaluation.Judge(v.evaluationInput(r))
	sum := sha256.Sum256([]byte("pilotgate/evaluation/v1\n" + launched.Digest + "\n" + r.content.SHA256 + "\n"))
	record := ledger.Record{Kind: ledger.KindEvaluation, Subjects: slices.Clone(launched.Subjects), Predicate: launched.Predicate}
	record.Subjects = append(record.Subjects,
		ledger.Subject{Name: "model", URI: r.manifest.Model.Name, SHA256: strings.TrimPrefix(r.manifest.Model.Digest, "sha256:")},
		ledger.Subject{Name: "artifact", URI: ResultArtifact + "/" + strconv.FormatInt(r.info.ID, 10), SHA256: r.content.SHA256})
	folder := ledger.ResultsPath(v.Policy.Paths.Evidence, v.ID)
	files := map[string][]byte{}
	for side, run := range map[string]benchmark.RunnerResult{evaluation.BaselineSide: r.baseline, evaluation.CandidateSide: r.candidate} {
		parts, err := evaluation.SampleFiles(strconv.FormatInt(v.Launch.Run.ID, 10), side, run.Samples)
		if err != nil {
			v.say("refused_unreadable", map[string]string{"pilot": v.ID, "launched": runNumber(v.Launch.Record), "number": planNumber(s), "what": side + ".json"}, nil)
			return nil
		}
		for _, f := range parts {
			files[folder+f.Name] = f.Bytes
		}
	}
	for path, b := range files {
		hash := sha256.Sum256(b)
		record.Subjects = append(record.Subjects, ledger.Subject{Name: "samples", URI: path, SHA256: hex.EncodeToString(hash[:])})
	}
	slices.SortFunc(record.Subjects, func(a, b ledger.Subject) int { return strings.Compare(a.Name+"\n"+a.URI, b.Name+"\n"+b.URI) })
	p := &record.Predicate
	p.Digest, p.Prev, p.Launch, p.Evaluation = "sha256:"+hex.EncodeToString(sum[:]), "", signed, &e
	p.Ingredients = map[string]string{"launch": launched.Digest, "artifact": "sha256:" + r.content.SHA256, "signoff": v.Entry.Record.Digest}
	p.CreatedAt = v.Launch.Run.UpdatedAt.UTC().Truncate(time.Second)
	v.Launch.Due, v.Launch.Results = &record, files
	return v.branchNeed(s)
}

// evaluationInput is the candidate beside its baseline, judged by what was
// signed off: bands and acceptance as they were when the plan was merged.
func (v *PilotVerdict) evaluationInput(r *result) evaluation.Input {
	q := v.Request
	signed := v.Entry.Record.Launch
	in := evaluation.Input{
		Scenario: signed.Scenario, Bands: q.Bands.Metrics, Acceptance: map[string]benchmark.Band{},
		Limits:    evaluation.Limits{PSI: v.Policy.Drift.PSI, KSP: v.Policy.Drift.KSP},
		Baseline:  evaluation.Run{Model: baselineModel(v), Result: r.baseline},
		Candidate: evaluation.Run{Model: r.manifest.Model, Result: r.candidate},
		Prompt:    signed.PromptVersion, Seed: evaluation.SeedOf(v.Entry.Record.Digest),
	}
	for _, row := range q.Plan.Acceptance {
		if row.Metric != "" {
			in.Acceptance[row.Metric] = row.Band
		}
	}
	if t, ok := q.Plan.Get("latency_tolerance"); ok {
		in.LatencyTolerance = t.Text
	}
	if f := q.Evaluation.Scan.Facts; f != nil {
		in.Recomputed = rules.Aggregates(f)
		in.Leakage = leakage(q.Dataset.Scan.Facts, f)
	}
	return in
}

func baselineModel(v *PilotVerdict) evaluation.Model {
	if e, ok := v.Request.BaseRegistry.Find(v.Entry.Record.Launch.BaselineModel); ok {
		return evaluation.Model{Name: e.Name, Version: e.Version, Digest: e.Digest}
	}
	return evaluation.Model{Name: v.Entry.Record.Launch.BaselineModel}
}

// leakage is what the scan found of the evaluation data in the training data.
func leakage(training, eval *dataset.Facts) evaluation.Leakage {
	out := evaluation.Leakage{Compared: training != nil, Of: eval.Records}
	if training == nil {
		return out
	}
	for _, c := range training.Counts {
		switch c.Rule {
		case "DS040":
			out.Same += c.N
		case "DS041":
			out.Near += c.N
		}
	}
	return out
}
