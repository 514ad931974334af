package rules

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/ledger"
)

// Manifest is what a training says of itself, in manifest.json.
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

	// Of a trainer outside GitHub Actions alone, whose manifest is signed: the
	// deployment that it answers, and the sha256 (hex) of the files beside it.
	Deployment int64 `json:"deployment"`
	Files      struct {
		Baseline  string `json:"baseline"`
		Candidate string `json:"candidate"`
	} `json:"files"`
}

// maxManifest caps manifest.json, in bytes.
const maxManifest = 64 << 10

// ParseManifest reads manifest.json strictly: one object of schema 1, no key
// that is not known. What is read is returned also where it is refused.
func ParseManifest(src []byte) (Manifest, bool) {
	var m Manifest
	if len(src) == 0 || len(src) > maxManifest {
		return m, false
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil {
		return m, false
	}
	_, err := d.Token()
	return m, err == io.EOF && m.Schema == 1
}

// The files in which results come, whoever brings them.
const (
	ManifestFile  = "manifest.json"
	BaselineFile  = "baseline.json"
	CandidateFile = "candidate.json"
)

// Results are a training's results, read: what it says of itself, and both
// models measured on the evaluation data.
type Results struct {
	Manifest            Manifest
	Baseline, Candidate benchmark.RunnerResult
	// Unreadable is the first file that is no result, with the rules that it
	// breaks; "" if all can be read.
	Unreadable string
}

// ReadResults reads the three files; nil is one that is not there.
func ReadResults(manifest, baseline, candidate []byte) Results {
	var r Results
	var ok bool
	if r.Manifest, ok = ParseManifest(manifest); !ok {
		r.Unreadable = ManifestFile
		return r
	}
	r.ReadSides(baseline, candidate)
	return r
}

// ReadSides reads the results of both models; nil is one that is not there.
func (r *Results) ReadSides(baseline, candidate []byte) {
	for _, side := range []struct {
		file string
		src  []byte
		into *benchmark.RunnerResult
	}{{BaselineFile, baseline, &r.Baseline}, {CandidateFile, candidate, &r.Candidate}} {
		got, fs := benchmark.ParseResult(side.src)
		if finding.Count(fs, finding.Error) > 0 || side.src == nil {
			r.Unreadable = side.file
			for _, f := range fs {
				if f.Severity == finding.Error && !strings.Contains(r.Unreadable, f.Rule) {
					r.Unreadable += " " + f.Rule
				}
			}
			return
		}
		*side.into = got
	}
}

// claims are what results must say to be of a sign-off, in the order in which
// they are told; the first that does not hold is why they are refused.
var claims = []struct {
	key   string
	holds func(r *Results, signed *ledger.Record) (args []string, ok bool)
}{
	{"unreadable", func(r *Results, _ *ledger.Record) ([]string, bool) {
		return []string{"what", r.Unreadable}, r.Unreadable == ""
	}},
	{"other_pilot", func(r *Results, signed *ledger.Record) ([]string, bool) {
		return []string{"other", r.Manifest.Pilot}, r.Manifest.Pilot == signed.Pilot
	}},
	{"other_signoff", func(r *Results, signed *ledger.Record) ([]string, bool) {
		return []string{"measured", r.Manifest.Signoff, "signed", signed.Digest}, r.Manifest.Signoff == signed.Digest
	}},
	{"dataset_differs", func(r *Results, signed *ledger.Record) ([]string, bool) {
		want := signed.Launch.Dataset.SHA256
		return []string{"measured", r.Manifest.Dataset.SHA256, "signed", want}, strings.TrimPrefix(r.Manifest.Dataset.SHA256, "sha256:") == want
	}},
	{"commit_differs", func(r *Results, signed *ledger.Record) ([]string, bool) {
		return []string{"measured", r.Manifest.GitCommit, "signed", signed.Launch.GitCommit}, r.Manifest.GitCommit == signed.Launch.GitCommit
	}},
	{"no_model", func(r *Results, _ *ledger.Record) ([]string, bool) {
		return nil, form.Digest(r.Manifest.Model.Digest) && r.Manifest.Model.Name != ""
	}},
	{"other_scenario", func(r *Results, signed *ledger.Record) ([]string, bool) {
		want := signed.Launch.Scenario
		return []string{"signed", want}, r.Candidate.Scenario == want && r.Baseline.Scenario == want
	}},
}

// Refused is why results are not those of a sign-off, with the values of its
// sentence; "" if they are.
func (r Results) Refused(signed ledger.Record) (key string, args []string) {
	for _, c := range claims {
		if args, ok := c.holds(&r, &signed); !ok {
			return c.key, args
		}
	}
	return "", nil
}
