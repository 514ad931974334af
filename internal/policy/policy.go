// Package policy reads what the base branch says: .github/pilotgate.yml (bands,
// paths, severities, waivers, keys) and .github/PILOT_APPROVERS (who is in
// which role).
//
// It is given bytes and gives values with positions; it reads no files, knows
// no clock and asks GitHub nothing. It never guesses: what it cannot read is a
// finding, and the key keeps its default so that the rest can still be shown.
// Its callers must treat an error here as "nothing passes", not as "the
// defaults hold".
package policy

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// Where the base branch keeps both files.
const (
	Path      = ".github/pilotgate.yml"
	RolesPath = ".github/PILOT_APPROVERS"
)

// The values of the keys that take one of a few words.
const (
	ProfileStarter = "starter"
	ProfileFull    = "full"

	Enforce = "enforce"
	Observe = "observe"

	ConfirmOptional = "optional"
	ConfirmRequired = "required"

	CommitAuto        = "auto"
	CommitDirect      = "direct"
	CommitPullRequest = "pull_request"
)

// BuiltinSchema is the record schema that ships with Pilotgate.
const BuiltinSchema = "builtin:stage_05_02/v1"

// Policy is the file with every default filled in. Its JSON has the file's
// keys; a test holds struct, JSON Schema and default file together.
type Policy struct {
	Version     int                 `json:"version"`
	Language    string              `json:"language"`
	Locale      string              `json:"locale"`
	Profile     string              `json:"profile"`
	Enforcement string              `json:"enforcement"`
	Paths       Paths               `json:"paths"`
	Scenarios   map[string]Scenario `json:"scenarios"`
	Datasets    Datasets            `json:"datasets"`
	Approvals   Approvals           `json:"approvals"`
	Checks      map[string]Override `json:"checks"`
	Waivers     []Waiver            `json:"waivers"`
	Signing     Signing             `json:"signing"`
	Trainers    []Key               `json:"trainers"`
	Drift       Drift               `json:"drift"`
	Baseline    Baseline            `json:"baseline"`
	Commit      Commit              `json:"commit"`
	Workflows   Workflows           `json:"workflows"`
	Environment string              `json:"environment"`
	Rollback    Rollback            `json:"rollback"`
}

// Paths say where the governed documents are. Plans, Prometheus and Grafana
// are patterns (see Match); "{pilot}" stands for the pilot's id.
type Paths struct {
	Plans      []string `json:"plans"`
	Signoff    string   `json:"signoff"`
	Summary    string   `json:"summary"`
	Report     string   `json:"report"`
	Evidence   string   `json:"evidence"` // a folder, ends in "/"
	Runbook    string   `json:"runbook"`
	Registry   string   `json:"registry"`
	Pointer    string   `json:"pointer"`
	Prometheus []string `json:"prometheus"`
	Grafana    []string `json:"grafana"`
}

// Scenario is what one benchmark scenario must reach.
type Scenario struct {
	DatasetID string                    `json:"dataset_id,omitempty"`
	Metrics   map[string]benchmark.Band `json:"metrics"` // by canonical metric name
}

// Datasets say what data may be used and where from.
type Datasets struct {
	Schema    string   `json:"schema"`    // BuiltinSchema or a path on the base branch
	Buckets   []string `json:"buckets"`   // "s3://name" or "s3://name/prefix"; empty: none
	Exporters []string `json:"exporters"` // patterns of scripts
	Channels  []string `json:"channels"`  // empty: any
}

// Approvals say when an approval counts.
type Approvals struct {
	DistinctPeople bool `json:"distinct_people"`
	MaxAgeDays     int  `json:"max_age_days"`
	AfterEvidence  bool `json:"after_evidence"`
}

// MaxAge is how old an approval may be.
func (a Approvals) MaxAge() time.Duration { return time.Duration(a.MaxAgeDays) * 24 * time.Hour }

// Override is another severity for a rule. The check shows it with its reason.
type Override struct {
	Severity finding.Severity `json:"severity"`
	Reason   string           `json:"reason"`

	At finding.Position `json:"-"`
}

// Waiver lets one finding in one version of one file pass, and says who
// answers for it. It ends with the day Expires (UTC).
type Waiver struct {
	Rule       string    `json:"rule"`
	FileSHA256 string    `json:"file_sha256"` // lower-case hex
	Line       int       `json:"line"`        // from 1
	Pointer    string    `json:"pointer,omitempty"`
	Owner      string    `json:"owner"` // "@login"
	Reason     string    `json:"reason"`
	Expires    time.Time `json:"expires"`

	At finding.Position `json:"-"`
}

// Expired tells whether the waiver's last day is over.
func (w Waiver) Expired(now time.Time) bool { return !now.Before(w.Expires.AddDate(0, 0, 1)) }

// Signing holds the public halves of the server's keys.
type Signing struct {
	Keys []Key `json:"keys"`
}

// Key is an Ed25519 public key and when it is valid: from the day From, through
// the day Until if there is one (UTC).
type Key struct {
	ID     string            `json:"id"`
	Public ed25519.PublicKey `json:"ed25519"`
	From   time.Time         `json:"from"`
	Until  time.Time         `json:"until,omitzero"`

	At finding.Position `json:"-"`
}

// ValidAt tells whether the key may have signed something at that time.
func (k Key) ValidAt(at time.Time) bool {
	return !at.Before(k.From) && (k.Until.IsZero() || at.Before(k.Until.AddDate(0, 0, 1)))
}

// Is tells whether this is the public key that base64 text holds.
func (k Key) Is(text string) bool { return base64.StdEncoding.EncodeToString(k.Public) == text }

// Drift holds the limits beyond which a distribution has moved.
type Drift struct {
	PSI decimal.Decimal `json:"psi"`
	KSP decimal.Decimal `json:"ks_p"`
}

// Baseline says whether a workflow's dry run must confirm the recomputation.
type Baseline struct {
	Confirm string `json:"confirm"`
}

// Commit says how the sign-off reaches the default branch.
type Commit struct {
	Mode string `json:"mode"`
}

// Workflows are the trusted workflow files; "" is none.
type Workflows struct {
	Benchmark string `json:"benchmark"`
	Training  string `json:"training"`
}

// Rollback says how close to the recorded baseline counts as recovered.
type Rollback struct {
	Tolerance decimal.Decimal `json:"tolerance"`
}

// Default is the policy of a repository without a file.
func Default() Policy {
	return Policy{
		Version:     1,
		Language:    "en",
		Locale:      "ru",
		Profile:     ProfileStarter,
		Enforcement: Enforce,
		Paths: Paths{
			Plans:      []string{"docs/specs/epic_05/stage_05_03_pilot*.md", "docs/specs/epic_05/pilots/*.md"},
			Signoff:    "docs/specs/epic_05/stage_05_03_signoff.md",
			Summary:    "docs/specs/epic_05/stage_05_03.md",
			Report:     "docs/specs/epic_05/stage_05_03_pilot_report_{pilot}.md",
			Evidence:   "docs/specs/epic_05/evidence/{pilot}/",
			Runbook:    "docs/specs/epic_05/stage_05_03_runbook.md",
			Registry:   "models/registry.yaml",
			Pointer:    "deploy/model_pointer.yaml",
			Prometheus: []string{"prometheus/*.yml"},
			Grafana:    []string{"grafana/dashboards/*.json"},
		},
		Scenarios: defaultScenarios(),
		Datasets: Datasets{
			Schema:    BuiltinSchema,
			Buckets:   []string{},
			Exporters: []string{"scripts/**/export_digests.py", "scripts/**/export_review_reports.py"},
			Channels:  []string{},
		},
		Approvals:   Approvals{DistinctPeople: true, MaxAgeDays: 30},
		Checks:      map[string]Override{},
		Waivers:     []Waiver{},
		Signing:     Signing{Keys: []Key{}},
		Trainers:    []Key{},
		Drift:       Drift{PSI: decimal.RequireFromString("0.25"), KSP: decimal.RequireFromString("0.01")},
		Baseline:    Baseline{Confirm: ConfirmOptional},
		Commit:      Commit{Mode: CommitAuto},
		Workflows:   Workflows{Benchmark: ".github/workflows/stage05_benchmark_smoke.yml", Training: ".github/workflows/pilot_finetune.yml"},
		Environment: "pilot-finetune",
		Rollback:    Rollback{Tolerance: decimal.RequireFromString("0.01")},
	}
}

func defaultScenarios() map[string]Scenario {
	score := func(pass, warn string) benchmark.Band {
		return benchmark.NewBand(benchmark.Higher, pass, warn, benchmark.Mean)
	}
	seconds := func(pass, warn string) benchmark.Band {
		return benchmark.NewBand(benchmark.Lower, pass, warn, benchmark.P95)
	}
	return map[string]Scenario{
		"channel_digest_ru": {
			DatasetID: "benchmark_digest_ru_v1",
			Metrics: map[string]benchmark.Band{
				benchmark.Coverage:        score("0.88", "0.80"),
				benchmark.Accuracy:        score("0.90", "0.85"),
				benchmark.Coherence:       score("0.90", "0.85"),
				benchmark.Informativeness: score("0.88", "0.82"),
				benchmark.Latency:         seconds("210", "240"),
			},
		},
		// Its dataset id has no default: a plan names the scenario.
		"review_summary_ru": {
			Metrics: map[string]benchmark.Band{
				benchmark.Coverage:        score("0.87", "0.80"),
				benchmark.Accuracy:        score("0.90", "0.85"),
				benchmark.Coherence:       score("0.88", "0.82"),
				benchmark.Informativeness: score("0.88", "0.82"),
				benchmark.Latency:         seconds("300", "360"),
			},
		},
	}
}

// Scenario returns a scenario's bands.
func (p Policy) Scenario(name string) (Scenario, bool) {
	s, ok := p.Scenarios[name]
	return s, ok
}

// ScenarioNames lists the scenarios in order.
func (p Policy) ScenarioNames() []string { return slices.Sorted(maps.Keys(p.Scenarios)) }

// ScenarioOf derives the scenario from where a dataset lies: the one whose
// dataset id is a whole segment of the path or URI. "" where none is, or two.
func (p Policy) ScenarioOf(dataset string) string {
	found := ""
	segments := strings.Split(dataset, "/")
	for _, name := range p.ScenarioNames() {
		id := p.Scenarios[name].DatasetID
		if id == "" || !slices.Contains(segments, id) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// BucketAllowed tells whether an object's URI lies in one of the allowed
// buckets, under its prefix if it has one. Anything that could be read as
// another object or carry a setting (query, fragment, escape, dot segment) is
// refused.
func (p Policy) BucketAllowed(uri string) bool {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || strings.ContainsAny(rest, "?#%\\@ \t\r\n") || !plainSegments(rest) {
		return false
	}
	return slices.ContainsFunc(p.Datasets.Buckets, func(b string) bool {
		return strings.HasPrefix(scheme+"://"+rest, strings.TrimSuffix(b, "/")+"/")
	})
}

// SigningKey returns the key of that id that was valid at that time.
func (p Policy) SigningKey(id string, at time.Time) (Key, bool) { return keyAt(p.Signing.Keys, id, at) }

// TrainerKey is SigningKey for trainers outside GitHub Actions.
func (p Policy) TrainerKey(id string, at time.Time) (Key, bool) { return keyAt(p.Trainers, id, at) }

func keyAt(keys []Key, id string, at time.Time) (Key, bool) {
	for _, k := range keys {
		if k.ID == id && k.ValidAt(at) {
			return k, true
		}
	}
	return Key{}, false
}

// protected are the rules whose severity `checks` cannot lower: personal data
// and secrets, hashes, identity, and that a document can be read and trusted at
// all. One record is waived by a waiver, which names the bytes, a person and a
// day; a whole rule is not.
var protected = map[string]bool{
	"PII101": true, "PII102": true, "PII103": true, "PII104": true, "PII106": true, "PII107": true, "PII108": true, "PII109": true,
	"PII110": true, "PII113": true, "PII115": true, "PII118": true,
	"DS020": true, "DS060": true, "CF005": true, "BL005": true,
	"PL001": true, "PL002": true, "PL003": true, "PL004": true, "PL005": true, "PL006": true,
	"PL007": true, "PL008": true, "PL009": true, "PL010": true, "PL011": true, "PL012": true,
	"PL032": true, "PL033": true, "PL034": true, "PL035": true, "PL036": true, "PL042": true,
}

// protectedGroups are whole groups of such rules: policy and roles, registry
// and pointer, sign-off ledger, report, benchmark results.
var protectedGroups = []string{"PO", "RL", "SG", "RP", "RS"}

// Protected tells whether a rule cannot be lowered by the policy nor lifted by
// an override.
func Protected(rule string) bool {
	return protected[rule] || slices.ContainsFunc(protectedGroups, func(g string) bool {
		return strings.HasPrefix(rule, g)
	})
}

// Effective is what the base branch's policy means for one pilot: the part
// that people approve with the plan. Who approves, and when that counts, is
// judged live and not in it; where texts go and in which language is no part
// of what is approved.
type Effective struct {
	Scenario  string                    `json:"scenario,omitempty"`
	Dataset   string                    `json:"dataset_id,omitempty"`
	Bands     map[string]benchmark.Band `json:"bands,omitempty"`
	Schema    string                    `json:"schema"`
	Locale    string                    `json:"locale"`
	Profile   string                    `json:"profile"`
	Channels  []string                  `json:"channels"`
	Buckets   []string                  `json:"buckets"`
	Exporters []string                  `json:"exporters"`
	Checks    map[string]Override       `json:"checks"`
	Waivers   []Waiver                  `json:"waivers"`
	Roles     []string                  `json:"roles"`
	Confirm   string                    `json:"baseline_confirm"`
	Drift     Drift                     `json:"drift"`
	Tolerance decimal.Decimal           `json:"rollback_tolerance"`
	Target    string                    `json:"environment"`
}

// Effective picks the values that are effective for a pilot of this scenario
// ("" for a governed change that is no pilot). With datasets (sha256, hex) only
// their waivers are in it, else all. Lists come sorted, so that their order in
// the file does not matter.
func (p Policy) Effective(scenario string, roles []string, datasets ...string) Effective {
	s := p.Scenarios[scenario]
	return Effective{
		Scenario: scenario, Dataset: s.DatasetID, Bands: s.Metrics,
		Schema: p.Datasets.Schema, Locale: p.Locale, Profile: p.Profile,
		Channels: sorted(p.Datasets.Channels), Buckets: sorted(p.Datasets.Buckets), Exporters: sorted(p.Datasets.Exporters),
		Checks: p.Checks, Waivers: p.waiversOf(datasets), Roles: sorted(roles),
		Confirm: p.Baseline.Confirm, Drift: p.Drift, Tolerance: p.Rollback.Tolerance, Target: p.Environment,
	}
}

func sorted(in []string) []string {
	out := append([]string{}, in...)
	slices.Sort(out)
	return out
}

func (p Policy) waiversOf(datasets []string) []Waiver {
	out := []Waiver{}
	for _, w := range p.Waivers {
		if len(datasets) == 0 || slices.Contains(datasets, w.FileSHA256) {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b Waiver) int { return strings.Compare(a.key(), b.key()) })
	return out
}

// key orders and names a waiver by all that it says.
func (w Waiver) key() string {
	raw, err := json.Marshal(w)
	if err != nil { // strings, numbers and a date within the calendar
		panic(err)
	}
	return string(raw)
}
