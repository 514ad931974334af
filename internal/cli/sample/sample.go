// Package sample makes a realistic repository of fine-tuning pilots: what
// stands on its default branch, and what a pull request with a pilot adds.
// Tests and the demo play on it.
//
// Everything is made up and deterministic: the same Story gives the same bytes
// on every machine. It holds no text, name or number of a real person, and it
// must not read or write anything.
package sample

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/pilotgate/pilotgate/deploy/workflows"
)

// Files are a repository's files by path.
type Files map[string][]byte

// With returns both, the other's files winning.
func (f Files) With(other Files) Files {
	out := maps.Clone(f)
	maps.Copy(out, other)
	return out
}

// Story chooses what differs between two tellings. The zero value is the usual one.
type Story struct {
	Owner      string // organisation or user; "": "acme"
	Profile    string // "": "starter"
	SigningKey SigningKey
	// Commit is where the training code is: 40 hex digits of a commit of the
	// default branch. "": the plan says "this PR".
	Commit              string
	Records, Evaluation int // how many; 0: 3,000 and 300
	// LoginsOnly names people instead of teams in the role file.
	LoginsOnly bool
}

// SigningKey is a server's public key as the policy lists it.
type SigningKey struct{ ID, Ed25519, From string }

// Where things are in the sample.
const (
	Pilot          = "ru-digest-2025-11"
	Plan           = "docs/specs/epic_05/pilots/" + Pilot + ".md"
	DataCard       = "data/benchmarks/benchmark_digest_ru_v1/DATA_CARD.md"
	Dataset        = "data/benchmarks/benchmark_digest_ru_v1/2025-10_samples.jsonl"
	EvaluationData = "data/benchmarks/benchmark_digest_ru_v1/2025-11_samples.jsonl"
	Scenario       = "channel_digest_ru"
	Release        = "v1.4.0"
	Signoff        = "docs/specs/epic_05/stage_05_03_signoff.md"
)

// The people of the story.
const (
	Initiator   = "dana"
	MLLead      = "irina-ml"
	Operations  = "oleg-ops"
	Operations2 = "vera-sre"
)

//go:embed all:repository
var repository embed.FS

// Repository is the default branch.
func (s Story) Repository() Files {
	out := Files{}
	// The embedded tree is part of the program: reading it cannot fail.
	must(fs.WalkDir(repository, "repository", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := repository.ReadFile(path)
		out[strings.TrimPrefix(path, "repository/")] = raw
		return err
	}))
	for _, name := range workflows.Names {
		raw, err := workflows.Files.ReadFile(name)
		must(err)
		out[workflows.Folder+name] = raw
	}
	out[".github/pilotgate.yml"] = s.policy()
	out[".github/PILOT_APPROVERS"] = s.roles()
	return out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s Story) policy() []byte {
	profile := s.Profile
	if profile == "" {
		profile = "starter"
	}
	text := fmt.Sprintf(`version: 1
language: en
locale: ru
profile: %s
scenarios:
  channel_digest_ru:
    dataset_id: benchmark_digest_ru_v1
    metrics:
      coverage: {pass: 0.88, warn: 0.80}
      latency_seconds: {pass: 210, warn: 240, better: lower, statistic: p95}
`, profile)
	if k := s.SigningKey; k.ID != "" {
		text += fmt.Sprintf("signing:\n  keys:\n    - {id: %q, ed25519: %q, from: %s}\n", k.ID, k.Ed25519, k.From)
	}
	return []byte(text)
}

func (s Story) roles() []byte {
	lead, ops := "@"+s.owner()+"/ml-leads", "@"+s.owner()+"/ml-ops"
	if s.LoginsOnly {
		lead, ops = "@"+MLLead, "@"+Operations+" @"+Operations2
	}
	return fmt.Appendf(nil, `# Who approves fine-tuning pilots. The last matching line of a section wins.
[ML Lead]
* %[1]s

[Operations Owner]
* %[2]s
`, lead, ops)
}

func (s Story) owner() string {
	if s.Owner == "" {
		return "acme"
	}
	return s.Owner
}
