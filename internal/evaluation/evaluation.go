// Package evaluation judges a candidate model against its baseline: paired by
// sample, with its uncertainty, against bands and the plan's acceptance, for
// drift, and for signs that the candidate was never measured.
//
// It is given results that were accepted already and the limits that were
// signed off. It reads nothing, knows no clock, decides nothing for people, and
// writes no sentence: reasons are keys with values. What it returns is signed
// as it is, so equal inputs give equal values: numbers are decimal text of at
// most six digits behind the point, and what is drawn at random has a seed.
//
// It must not soften an absence: what was not measured, not compared or too
// little to tell is said so, and is never a reason for Go.
package evaluation

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// Schema is the format's version, in every Evaluation.
const Schema = 1

// Input is what is judged, and by what.
type Input struct {
	Scenario string
	// Bands are the scenario's, by metric: each must be measured.
	Bands map[string]benchmark.Band
	// Acceptance is the plan's pass bound by metric. A metric without one is
	// accepted by its band's pass bound.
	Acceptance map[string]benchmark.Band
	// LatencyTolerance is by how much the latency may grow over the baseline's, as
	// the plan writes it ("+5 %", "10 s"); empty: the plan gives none.
	LatencyTolerance string
	Limits           Limits

	Baseline, Candidate Run
	// Recomputed are the evaluation dataset's own scores as our scan has them;
	// nil where it holds none.
	Recomputed []benchmark.Aggregate
	Leakage    Leakage
	// SelfReported: a pull request brought the candidate's result. Such figures
	// are judged, and never a reason for Go.
	SelfReported bool
	// Prompt is the signed prompt version; empty: none was signed.
	Prompt string
	// Seed makes what is drawn at random repeatable; see SeedOf.
	Seed uint64
}

// Run is one model's benchmark run: which model it is by what we launched, and
// what the runner printed.
type Run struct {
	Model  Model
	Result benchmark.RunnerResult
}

// Model names a model. Digest is "sha256:<hex>" or empty.
type Model struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
}

// Limits are the policy's, beyond which a distribution counts as moved.
type Limits struct {
	PSI decimal.Decimal
	KSP decimal.Decimal // moved is a Kolmogorov-Smirnov p below it
}

// Leakage is what of the evaluation data the scan also found in the training
// data.
type Leakage struct {
	Compared bool
	Same     int // evaluation records with the same source text
	Near     int // and with nearly the same
	Of       int // evaluation records
}

// SeedOf is the seed for what belongs to a digest or other name.
func SeedOf(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:8])
}

// Evaluation is what is known of the candidate, as it is signed. Decimals are
// text without trailing zeros; an empty one was not measured.
type Evaluation struct {
	Schema       int     `json:"schema"`
	Scenario     string  `json:"scenario"`
	Seed         uint64  `json:"seed,string"`
	SelfReported bool    `json:"self_reported,omitempty"`
	Baseline     Subject `json:"baseline"`
	Candidate    Subject `json:"candidate"`
	Paired       int     `json:"paired"` // samples that both runs have

	Metrics []Metric     `json:"metrics"`
	Drift   []Drift      `json:"drift,omitempty"`
	Limits  SignedLimits `json:"limits"`
	Leakage SignedLeaks  `json:"leakage"`

	// Measured is false where the candidate's figures are the baseline's, or of
	// the baseline's model: then they say nothing of the candidate.
	Measured       bool           `json:"measured"`
	Recommendation Recommendation `json:"recommendation"`
	Reasons        []Reason       `json:"reasons"`
}

// Subject is what one run says of itself.
type Subject struct {
	Model
	Printed     string `json:"printed,omitempty"` // the model by the result's own word
	Prompt      string `json:"prompt,omitempty"`
	JudgeModel  string `json:"judge_model,omitempty"`
	JudgePrompt string `json:"judge_prompt,omitempty"`
	Duration    string `json:"duration_seconds,omitempty"` // of the run, by its own word
	Samples     int    `json:"samples"`
	Alone       int    `json:"alone,omitempty"` // samples that the other run does not have
}

// SignedLimits are the drift limits that were applied.
type SignedLimits struct {
	PSI string `json:"psi"`
	KSP string `json:"ks_p"`
}

// SignedLeaks is Leakage as it is signed.
type SignedLeaks struct {
	Compared bool `json:"compared"`
	Same     int  `json:"same,omitempty"`
	Near     int  `json:"near,omitempty"`
	Of       int  `json:"of,omitempty"`
}

// Metric is one metric of both runs. Statistic names the figure that its band
// judges and that is compared: the mean of the samples, or their P95.
type Metric struct {
	Name      string              `json:"name"`
	Statistic string              `json:"statistic"` // benchmark.Mean or P95
	Better    benchmark.Direction `json:"better"`
	Pass      string              `json:"pass,omitempty"` // the band's bounds, with the digits they were given with
	Warn      string              `json:"warn,omitempty"`
	Baseline  Side                `json:"baseline"`
	Candidate Side                `json:"candidate"`

	// Delta is the candidate's statistic minus the baseline's over the N paired
	// samples; Low and High bound it with 95 % (paired percentile bootstrap).
	Delta string `json:"delta,omitempty"`
	Low   string `json:"low,omitempty"`
	High  string `json:"high,omitempty"`
	N     int    `json:"n"`
	Moved int    `json:"moved"`           // pairs that differ
	Alone int    `json:"alone,omitempty"` // samples that only one run measured
	Test  Test   `json:"test"`

	Change     Change     `json:"change"`
	Acceptance Acceptance `json:"acceptance"`
	// Needed is about how many samples would show a difference of this size with
	// a probability of 80 % (normal approximation); 0 where nothing can be said.
	Needed int `json:"needed,omitempty"`
}

// Side is one run's figures of a metric. Value is the statistic's; Worst is the
// worst sample's, which is not the same as the P95.
type Side struct {
	N            int               `json:"n"`
	Missing      int               `json:"missing,omitempty"` // samples without this metric
	Value        string            `json:"value,omitempty"`
	Mean         string            `json:"mean,omitempty"`
	P95          string            `json:"p95,omitempty"`
	Worst        string            `json:"worst,omitempty"`
	Outcome      benchmark.Outcome `json:"outcome"`
	WorstOutcome benchmark.Outcome `json:"worst_outcome"`
	Problem      string            `json:"problem,omitempty"` // benchmark.Problem…: why these figures are no evidence
}

// Test is the paired permutation test of Delta. P is how often random swaps of
// the two models give a difference at least as large; SmallestP is the least
// that these samples can give at all.
type Test struct {
	P         string `json:"p,omitempty"`
	SmallestP string `json:"smallest_p,omitempty"`
	Exact     bool   `json:"exact,omitempty"`     // every pattern was counted
	Resamples int    `json:"resamples,omitempty"` // else this many were drawn
	Bootstrap int    `json:"bootstrap,omitempty"` // resamples of the interval
}

// Change is what the test can say of a difference.
type Change string

// The changes.
const (
	Better      Change = "better"       // shown, p at most 0.05
	Worse       Change = "worse"        // shown
	Unclear     Change = "unclear"      // not told from chance
	TooFew      Change = "too_few"      // so few differing samples cannot show any difference
	Same        Change = "same"         // no sample differs
	NotCompared Change = "not_compared" // no pair
)

// Acceptance is whether the candidate reaches what was asked of it.
type Acceptance struct {
	From      string `json:"from,omitempty"` // FromPlan or FromPolicy; empty: nothing was asked
	Bound     string `json:"bound,omitempty"`
	Statistic string `json:"statistic,omitempty"`
	Value     string `json:"value,omitempty"` // the candidate's, by that statistic
	// Tolerance is the latency's, as written, and Limit the value it allows.
	Tolerance string `json:"tolerance,omitempty"`
	Limit     string `json:"limit,omitempty"`
	BoundMet  bool   `json:"bound_met,omitempty"`
	LimitMet  bool   `json:"limit_met,omitempty"`
	Met       bool   `json:"met"` // all of it
}

// Where an acceptance bound comes from.
const (
	FromPlan   = "plan"
	FromPolicy = "policy"
)

// Drift is how far one quantity's distribution moved from the baseline run to
// the candidate's.
type Drift struct {
	Quantity      string `json:"quantity"` // a metric's name, or SummaryLength
	Known         bool   `json:"known"`    // false: fewer than 20 values a side
	Baseline      int    `json:"baseline"` // values
	Candidate     int    `json:"candidate"`
	PSI           string `json:"psi,omitempty"`
	Noise         string `json:"noise,omitempty"`          // the PSI that chance alone reaches with so many values
	JensenShannon string `json:"jensen_shannon,omitempty"` // bits, 0 to 1
	KS            string `json:"ks,omitempty"`
	KSP           string `json:"ks_p,omitempty"`
	// Moved: beyond a limit. A PSI that chance alone reaches does not count.
	Moved bool `json:"moved"`
}

// SummaryLength is the quantity that no band judges: characters of a summary.
const SummaryLength = "summary_length"

// Recommendation is what the evidence supports. People decide.
type Recommendation string

// The recommendations.
const (
	Go   Recommendation = "go"
	NoGo Recommendation = "no-go"
	None Recommendation = "none"
)

// Weight is which way a reason points.
type Weight string

// The weights, in the order that reasons stand.
const (
	Against Weight = "against" // the candidate fails what was asked
	Open    Weight = "open"    // the evidence does not settle it
	For     Weight = "for"
	Note    Weight = "note" // worth knowing, changes nothing
)

// Reason is a sentence of the texts' section "evaluation" with its values.
type Reason struct {
	Weight Weight            `json:"weight"`
	Key    string            `json:"key"`
	Args   map[string]string `json:"args,omitempty"`
}

// Judge compares candidate and baseline. Any input gives an evaluation; what it
// lacks is a reason in it.
func Judge(in Input) Evaluation {
	e := Evaluation{
		Schema: Schema, Scenario: in.Scenario, Seed: in.Seed, SelfReported: in.SelfReported, Measured: true,
		Baseline: subject(in.Baseline), Candidate: subject(in.Candidate),
		Limits: SignedLimits{PSI: in.Limits.PSI.String(), KSP: in.Limits.KSP.String()},
	}
	e.Leakage = SignedLeaks(in.Leakage)
	e.Paired, e.Baseline.Alone, e.Candidate.Alone = paired(in.Baseline.Result.Samples, in.Candidate.Result.Samples)
	e.Metrics = metrics(in)
	e.Drift = drifts(in)
	e.weigh(in)
	return e
}

func subject(r Run) Subject {
	duration := ""
	if r.Result.Duration.IsPositive() {
		duration = text(r.Result.Duration)
	}
	return Subject{
		Duration: duration,
		Model:    r.Model, Printed: clean(r.Result.Model), Prompt: clean(r.Result.Prompt), JudgeModel: clean(r.Result.JudgeModel),
		JudgePrompt: clean(r.Result.JudgePrompt), Samples: len(r.Result.Samples),
	}
}

// paired counts the samples that both runs have, and those of either alone.
func paired(baseline, candidate []benchmark.Sample) (both, alone, aloneThere int) {
	has := make(map[string]bool, len(baseline))
	for _, s := range baseline {
		has[s.ID] = true
	}
	for _, s := range candidate {
		if has[s.ID] {
			both++
		}
	}
	return both, len(baseline) - both, len(candidate) - both
}

// Metric returns the figures of one metric.
func (e Evaluation) Metric(name string) (Metric, bool) {
	for _, m := range e.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}
