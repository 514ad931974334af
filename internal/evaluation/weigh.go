package evaluation

import (
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
)

// weigh lists the reasons and draws the recommendation from them:
//
//   - figures that are not the candidate's recommend nothing;
//   - what was asked and is missed recommends No-go;
//   - what the evidence leaves open recommends nothing;
//   - else Go, and only if some metric is shown to be better.
func (e *Evaluation) weigh(in Input) {
	e.wasMeasured(in)
	e.provenance(in)
	e.completeness(in)
	better := false
	for _, m := range e.Metrics {
		e.ofMetric(m)
		better = better || m.Change == Better
	}
	e.ofDrift()
	if len(e.Metrics) == 0 {
		e.because(Against, "no_bands")
	}
	if !better && e.count(Against) == 0 {
		e.nothingShown()
	}
	if missed := e.count(Against); missed == 0 {
		e.because(For, "accepted", "n", strconv.Itoa(len(e.Metrics)))
	}
	slices.SortStableFunc(e.Reasons, func(a, b Reason) int { return a.Weight.rank() - b.Weight.rank() })
	e.Recommendation = e.recommend()
}

// recommend is what measured and reasons amount to.
func (e *Evaluation) recommend() Recommendation {
	switch {
	case !e.Measured:
		return None
	case e.count(Against) > 0:
		return NoGo
	case e.count(Open) > 0 || e.SelfReported:
		return None
	}
	return Go
}

func (w Weight) rank() int { return slices.Index([]Weight{Against, Open, For, Note}, w) }

func (e *Evaluation) because(w Weight, key string, pairs ...string) {
	r := Reason{Weight: w, Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Args == nil {
			r.Args = map[string]string{}
		}
		r.Args[pairs[i]] = pairs[i+1]
	}
	e.Reasons = append(e.Reasons, r)
}

func (e *Evaluation) count(w Weight) int {
	n := 0
	for _, r := range e.Reasons {
		if r.Weight == w {
			n++
		}
	}
	return n
}

// leastAlike is from how many samples on equal figures are no coincidence.
const leastAlike = 5

// wasMeasured looks for signs that the candidate's figures are the baseline's.
func (e *Evaluation) wasMeasured(in Input) {
	doubt := func(key string, pairs ...string) {
		e.Measured = false
		e.because(Open, key, pairs...)
	}
	b, c := e.Baseline, e.Candidate
	switch {
	case b.Digest != "" && b.Digest == c.Digest:
		doubt("same_digest", "digest", c.Digest)
	case c.Printed != "" && c.Printed == b.Printed:
		doubt("same_model", "model", c.Printed)
	}
	if c.Printed == "" {
		e.because(Open, "model_unnamed")
	}
	alike := likeness(in.Baseline.Result.Samples, in.Candidate.Result.Samples)
	if alike.scored >= leastAlike && alike.sameScores == alike.scored {
		doubt("scores_identical", "n", strconv.Itoa(alike.scored))
	}
	if alike.timed >= leastAlike && alike.sameTimes == alike.timed {
		doubt("latency_identical", "n", strconv.Itoa(alike.timed))
	}
	switch n, of := strconv.Itoa(alike.sameSummaries), strconv.Itoa(alike.summaries); {
	case alike.summaries >= leastAlike && alike.sameSummaries == alike.summaries:
		doubt("summaries_identical", "n", n)
	case alike.summaries >= leastAlike && 2*alike.sameSummaries >= alike.summaries:
		e.because(Open, "summaries_alike", "n", n, "of", of)
	case alike.sameSummaries > 0:
		e.because(Note, "summaries_alike", "n", n, "of", of)
	}
}

// like counts what is equal in both runs, sample by sample.
type like struct {
	scored, sameScores       int // samples with a score in both runs; with all of them equal
	timed, sameTimes         int
	summaries, sameSummaries int
}

func likeness(baseline, candidate []benchmark.Sample) like {
	before := make(map[string]benchmark.Sample, len(baseline))
	for _, s := range baseline {
		before[s.ID] = s
	}
	var l like
	for _, c := range candidate {
		b, ok := before[c.ID]
		if !ok {
			continue
		}
		both, equal := 0, true
		for metric, v := range c.Scores {
			w, has := b.Scores[metric]
			switch {
			case !has:
			case metric == benchmark.Latency:
				l.timed++
				if w.Equal(v) {
					l.sameTimes++
				}
			default:
				both++
				equal = equal && w.Equal(v)
			}
		}
		if both > 0 {
			l.scored++
			if equal {
				l.sameScores++
			}
		}
		if b.Summary != "" && c.Summary != "" {
			l.summaries++
			if b.Summary == c.Summary {
				l.sameSummaries++
			}
		}
	}
	return l
}

// provenance: who scored, with which prompt, and where the figures come from.
func (e *Evaluation) provenance(in Input) {
	if e.SelfReported {
		e.because(Open, "self_reported")
	}
	b, c := e.Baseline, e.Candidate
	for _, s := range []struct{ key, missing string }{
		{"judge_missing_baseline", b.JudgeModel + b.JudgePrompt}, {"judge_missing_candidate", c.JudgeModel + c.JudgePrompt},
	} {
		if s.missing == "" {
			e.because(Open, s.key)
		}
	}
	if b.JudgeModel+b.JudgePrompt != "" && c.JudgeModel+c.JudgePrompt != "" && (b.JudgeModel != c.JudgeModel || b.JudgePrompt != c.JudgePrompt) {
		e.because(Open, "judge_differs", "baseline", judge(b), "candidate", judge(c))
	}
	if want := clean(in.Prompt); want != "" && c.Prompt != "" && c.Prompt != want {
		e.because(Open, "prompt_differs", "prompt", c.Prompt, "signed", want)
	}
}

func judge(s Subject) string {
	switch {
	case s.JudgePrompt == "":
		return s.JudgeModel
	case s.JudgeModel == "":
		return s.JudgePrompt
	}
	return s.JudgeModel + ", " + s.JudgePrompt
}

// completeness: both runs are over the same samples, agree with what the
// evaluation data holds, and the model was not trained on it.
func (e *Evaluation) completeness(in Input) {
	if e.Baseline.Alone+e.Candidate.Alone > 0 || e.Paired == 0 {
		e.because(Open, "unpaired", "paired", strconv.Itoa(e.Paired), "baseline", strconv.Itoa(e.Baseline.Alone), "candidate", strconv.Itoa(e.Candidate.Alone))
	}
	e.recomputed(in)
	switch l := e.Leakage; {
	case l.Same+l.Near > 0:
		e.because(Open, "leaked", "n", strconv.Itoa(l.Same+l.Near), "of", strconv.Itoa(l.Of))
	case !l.Compared:
		e.because(Note, "leakage_unknown")
	}
	if in.LatencyTolerance != "" {
		if _, _, ok := ParseTolerance(in.LatencyTolerance); !ok {
			e.because(Note, "tolerance_unread", "tolerance", clean(in.LatencyTolerance))
		}
	}
}

// floatError is by how much two means of the same scores may differ that were
// summed in another order in binary floats.
var floatError = decimal.New(1, -9)

// recomputed holds the baseline's result against our own scan of the data.
func (e *Evaluation) recomputed(in Input) {
	ours := map[string]benchmark.Aggregate{}
	for _, a := range in.Recomputed {
		ours[a.Metric] = a
	}
	for _, a := range in.Baseline.Result.Aggregates() {
		o, ok := ours[a.Metric]
		if !ok || o.N == 0 || in.Bands[a.Metric].Empty() {
			continue
		}
		if a.N == o.N && a.Sum.Sub(o.Sum).Abs().LessThanOrEqual(floatError.Mul(decimal.NewFromInt(int64(a.N)))) {
			continue
		}
		mean := func(a benchmark.Aggregate) string {
			if a.N == 0 {
				return "–"
			}
			return text(a.Sum.DivRound(decimal.NewFromInt(int64(a.N)), 2*digits))
		}
		e.because(Open, "baseline_disagrees", "metric", a.Metric, "value", mean(a), "n", strconv.Itoa(a.N), "recomputed", mean(o), "of", strconv.Itoa(o.N))
	}
}

// asked writes a bound as what is asked for: "≥ 0.90".
func (m Metric) asked(bound string) string {
	if m.Better == benchmark.Lower {
		return "≤ " + bound
	}
	return "≥ " + bound
}

// tolerated: the plan allows this much slowdown.
func (m Metric) tolerated() bool { return m.Acceptance.Tolerance != "" && m.Acceptance.LimitMet }

// ofMetric: acceptance first, then what the comparison shows.
func (e *Evaluation) ofMetric(m Metric) {
	a := m.Acceptance
	switch {
	case m.Candidate.Problem != "":
		e.because(Against, "candidate_"+m.Candidate.Problem, "metric", m.Name)
		return
	case m.Baseline.Problem != "":
		e.because(Open, "baseline_"+m.Baseline.Problem, "metric", m.Name)
	}
	if a.From != "" && !a.BoundMet {
		e.because(Against, "missed_"+a.From, "metric", m.Name, "statistic", a.Statistic, "value", a.Value, "bound", m.asked(a.Bound))
	}
	if a.Tolerance != "" && !a.LimitMet && a.Limit != "" {
		e.because(Against, "tolerance_missed", "metric", m.Name, "statistic", m.Statistic, "value", m.Candidate.Value, "baseline", m.Baseline.Value, "tolerance", a.Tolerance, "limit", a.Limit)
	}
	switch {
	case m.Candidate.Outcome == benchmark.Fail && a.Met:
		e.because(Against, "band_failed", "metric", m.Name, "statistic", m.Statistic, "value", m.Candidate.Value, "bound", m.asked(m.Warn))
	case m.Candidate.Outcome == benchmark.Warn && a.Met:
		e.because(Note, "in_warn_band", "metric", m.Name, "statistic", m.Statistic, "value", m.Candidate.Value, "bound", m.asked(m.Pass))
	}
	args := []string{"metric", m.Name, "statistic", m.Statistic, "delta", m.Delta, "low", m.Low, "high", m.High, "p", m.Test.P, "n", strconv.Itoa(m.N), "moved", strconv.Itoa(m.Moved)}
	switch m.Change {
	case Better:
		e.because(For, "shown_better", args...)
	case Worse:
		if m.tolerated() {
			e.because(Note, "tolerated", append(args, "tolerance", a.Tolerance)...)
		} else {
			e.because(Open, "shown_worse", args...)
		}
	case Unclear:
		e.because(Note, "unclear", append(args, "needed", strconv.Itoa(m.Needed))...)
	case TooFew:
		e.because(Note, "too_few", append(args, "least", m.Test.SmallestP, "needed", strconv.Itoa(m.Needed))...)
	case Same:
		e.because(Note, "same", "metric", m.Name, "n", strconv.Itoa(m.N))
	}
}

// nothingShown: no metric is shown to be better; whether it could have been is
// another matter.
func (e *Evaluation) nothingShown() {
	could, few := false, false
	for _, m := range e.Metrics {
		could = could || m.Change == Unclear || m.Change == Worse
		few = few || m.Change == TooFew
	}
	if few && !could {
		e.because(Open, "nothing_could", "n", strconv.Itoa(e.Paired))
		return
	}
	e.because(Open, "nothing_shown")
}

// ofDrift: a score that moved the good way moved because the candidate is
// better, and a tolerated latency may move; everything else that moved is for
// people to look at.
func (e *Evaluation) ofDrift() {
	unknown := 0
	for _, d := range e.Drift {
		if !d.Known {
			unknown++
			continue
		}
		if !d.Moved {
			continue
		}
		weight := Open
		if m, ok := e.Metric(d.Quantity); ok && (m.Change == Better || m.tolerated()) {
			weight = Note
		}
		e.because(weight, "drifted", "quantity", d.Quantity, "psi", d.PSI, "psi_limit", e.Limits.PSI, "ks_p", d.KSP, "ks_p_limit", e.Limits.KSP)
	}
	if unknown > 0 {
		e.because(Note, "drift_unknown", "n", strconv.Itoa(unknown))
	}
}
