package report

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/evaluation"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/sentence"
)

// writer writes the blocks of one report.
type writer struct {
	in    Input
	texts *sentence.Texts
}

func (w writer) block(key string) string {
	switch key {
	case "metadata":
		return w.metadata()
	case "reproducibility":
		return w.reproducibility()
	case "release":
		return w.fields([2]string{"release", w.in.Signoff.Record.Launch.Release}) + "\n" + w.text("release_after") + "\n"
	case "rollback":
		return w.fields([2]string{"rollback_target", w.in.Signoff.Record.Launch.RollbackTarget})
	case "approvals":
		return w.approvals()
	case "evidence":
		return w.evidence()
	}
	e := w.in.Evaluated()
	if e == nil {
		if key == "results" && len(w.in.Baseline) > 0 {
			return w.baseline()
		}
		return w.text("results_awaited") + "\n"
	}
	switch key {
	case "commands":
		return w.commands()
	case "results":
		return w.results(e)
	case "drift":
		return w.drift(e)
	}
	return w.decision(e)
}

func (w writer) text(key string) string { return w.texts.Text("report", key) }

// fields is a two-column table of names and values; values are code.
func (w writer) fields(rows ...[2]string) string {
	var b strings.Builder
	b.WriteString(w.text("field_table") + "\n|---|---|\n")
	for _, r := range rows {
		if r[1] != "" {
			fmt.Fprintf(&b, "| %s | `%s` |\n", w.texts.Text("field", r[0]), sentence.Escape(r[1], sentence.Cell, true))
		}
	}
	return b.String()
}

func (w writer) metadata() string {
	r := w.in.Signoff.Record
	rows := [][2]string{
		{"pilot", r.Pilot},
		{"pull_request", "#" + strconv.Itoa(r.PullRequest)},
		{"plan", r.PlanPath},
		{"scenario", r.Launch.Scenario},
		{"baseline_model", r.Launch.BaselineModel},
		{"target_model", r.Launch.TargetModel},
		{"prompt_version", r.Launch.PromptVersion},
		{"release", r.Launch.Release},
		{"digest", r.Digest},
	}
	if e := w.in.Evaluated(); e != nil {
		rows = append(rows, [2]string{"candidate_digest", e.Candidate.Digest})
	}
	return w.fields(rows...)
}

func (w writer) reproducibility() string {
	l := w.in.Signoff.Record.Launch
	rows := [][2]string{{"git_commit", l.GitCommit}, {"config", l.ConfigPath}, {"seed", strconv.FormatInt(l.Seed, 10)}}
	for _, k := range slices.Sorted(maps.Keys(l.Hyperparameters)) {
		rows = append(rows, [2]string{k, l.Hyperparameters[k]})
	}
	rows = append(rows,
		[2]string{"dataset", l.Dataset.Location}, [2]string{"dataset_sha256", l.Dataset.SHA256}, [2]string{"records", strconv.Itoa(l.Dataset.Records)},
		[2]string{"hardware", l.Compute.Hardware}, [2]string{"count", strconv.Itoa(l.Compute.Count)}, [2]string{"hours", l.Compute.Hours})
	if l.Evaluation != nil {
		rows = append(rows, [2]string{"evaluation_dataset", l.Evaluation.Location}, [2]string{"evaluation_sha256", l.Evaluation.SHA256})
	}
	return w.fields(rows...)
}

// commands are the run that made the results.
func (w writer) commands() string {
	r := w.in.Evaluation.Record
	if r.Run == nil {
		return w.texts.Say(sentence.Markdown, "report", "commands_self_reported", "number", strconv.Itoa(r.PullRequest)) + "\n"
	}
	if r.Run.Deployment {
		return w.fields([2]string{"deployment", strconv.FormatInt(r.Run.ID, 10)}, [2]string{"trainer", r.Ingredients["trainer"]},
			[2]string{"run_commit", r.Run.HeadCommit})
	}
	return w.fields([2]string{"workflow", r.Run.WorkflowPath}, [2]string{"run", strconv.FormatInt(r.Run.ID, 10)},
		[2]string{"attempt", strconv.Itoa(r.Run.Attempt)}, [2]string{"run_commit", r.Run.HeadCommit})
}

// baseline is the results table while there is only the baseline.
func (w writer) baseline() string {
	var b strings.Builder
	b.WriteString(w.text("results_awaited") + "\n\n" + w.text("results_table") + "\n" + rule(9))
	for _, m := range w.in.Baseline {
		fmt.Fprintf(&b, "| %s (%s) | %s | – | – | – | %d | %s | – | %s |\n",
			m.Metric, name(m.Statistic), m.Value.StringFixed(places(m.Metric)), m.N, m.Band.String(), w.text("awaited"))
	}
	return b.String()
}

func (w writer) approvals() string {
	var b strings.Builder
	b.WriteString(w.text("approvals_of_plan") + "\n\n" + w.text("approvals_table") + "\n|---|---|---|---|\n")
	for _, a := range w.in.Signoff.Record.Approvals {
		fmt.Fprintf(&b, "| %s | `@%s` | %s | %d |\n", sentence.Escape(a.Role, sentence.Cell, false), sentence.Escape(a.Login, sentence.Cell, true),
			a.SubmittedAt.UTC().Format("2006-01-02 15:04 UTC"), a.ReviewID)
	}
	return b.String()
}

// evidence links the records and the samples, which is all that the report
// follows from.
func (w writer) evidence() string {
	var b strings.Builder
	link := func(file string) {
		b.WriteString("- [`" + sentence.Escape(file, sentence.Markdown, true) + "`](" + sentence.Relative(w.in.Path, file) + ")\n")
	}
	link(w.in.Signoff.Path)
	for _, e := range []*ledger.Entry{w.in.Launch, w.in.Evaluation} {
		if e != nil {
			link(e.Path)
		}
	}
	if w.in.Evaluation != nil {
		results := path.Dir(w.in.Evaluation.Path) + "/results/"
		for _, s := range w.in.Evaluation.Record.Subjects {
			if strings.HasPrefix(s.URI, results) {
				link(s.URI)
			}
		}
	}
	link(w.in.Log)
	return b.String()
}

// results: the chart, the table, what each difference shows, and all three
// figures of each metric by their names.
func (w writer) results(e *evaluation.Evaluation) string {
	var b strings.Builder
	if e.SelfReported {
		b.WriteString(w.texts.Say(sentence.Markdown, "report", "results_self_reported", "number", strconv.Itoa(w.in.Evaluation.Record.PullRequest)) + "\n\n")
	}
	b.WriteString("![" + w.chartAlt(e) + "](" + sentence.Relative(w.in.Path, ChartPath(w.in.Path)) + ")\n\n")
	key, who := "compared", judge(e.Candidate)
	if who == "" {
		key = "compared_unscored"
	}
	b.WriteString(w.texts.Say(sentence.Markdown, "report", key, "candidate", model(e.Candidate), "baseline", model(e.Baseline), "n", strconv.Itoa(e.Paired), "judge", who) + "\n\n")
	b.WriteString(w.text("results_table") + "\n" + rule(9))
	for _, m := range e.Metrics {
		fmt.Fprintf(&b, "| %s (%s) | %s | %s | %s | %s | %d | %s | %s | %s |\n", m.Name, name(m.Statistic),
			value(m.Name, m.Baseline.Value), value(m.Name, m.Candidate.Value), delta(m.Name, m.Delta), interval(m), m.N,
			threshold(m), w.acceptance(m), w.texts.Text("outcome", string(m.Candidate.Outcome)))
	}
	b.WriteString("\n" + w.text("differences") + "\n\n")
	for _, m := range e.Metrics {
		b.WriteString("- " + w.difference(m) + "\n")
	}
	b.WriteString("\n" + w.text("figures") + "\n\n" + w.text("figures_table") + "\n|---|---|---|---|---|\n")
	for _, m := range e.Metrics {
		both := func(a, b string) string { return value(m.Name, a) + " → " + value(m.Name, b) }
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s → %s |\n", m.Name, both(m.Baseline.Mean, m.Candidate.Mean), both(m.Baseline.P95, m.Candidate.P95),
			both(m.Baseline.Worst, m.Candidate.Worst), w.texts.Text("outcome", string(m.Baseline.WorstOutcome)), w.texts.Text("outcome", string(m.Candidate.WorstOutcome)))
	}
	return b.String()
}

func rule(columns int) string { return strings.Repeat("|---", columns) + "|\n" }

// difference is what the comparison of one metric shows, with the honest
// sentence where the samples are too few.
func (w writer) difference(m evaluation.Metric) string {
	key := map[evaluation.Change]string{
		evaluation.Better: "shown_better", evaluation.Worse: "shown_worse", evaluation.Unclear: "unclear", evaluation.TooFew: "too_few",
		evaluation.Same: "same", evaluation.NotCompared: "not_compared",
	}[m.Change]
	if d, err := decimal.NewFromString(m.Delta); err == nil && m.Change == evaluation.Unclear && d.Round(places(m.Name)).IsZero() {
		key = "level"
	}
	text := w.reason(evaluation.Reason{Key: key, Args: map[string]string{
		"metric": m.Name, "statistic": m.Statistic, "delta": m.Delta, "low": m.Low, "high": m.High, "p": m.Test.P, "n": strconv.Itoa(m.N),
		"moved": strconv.Itoa(m.Moved), "least": m.Test.SmallestP,
	}})
	if m.Needed > 0 {
		text += " " + w.texts.Say(sentence.Markdown, "evaluation", "needed", "needed", strconv.Itoa(m.Needed))
	}
	return text
}

// acceptance is the cell that says what was asked and whether it is reached.
func (w writer) acceptance(m evaluation.Metric) string {
	a := m.Acceptance
	var parts []string
	if a.From != "" {
		bound := sign(m) + a.Bound
		if a.Statistic != m.Statistic {
			bound += " (" + name(a.Statistic) + ")"
		}
		if a.From == evaluation.FromPolicy {
			bound += " (" + w.text("from_policy") + ")"
		}
		parts = append(parts, bound)
	}
	if a.Tolerance != "" {
		limit := "–"
		if a.Limit != "" {
			limit = "≤" + value(m.Name, a.Limit)
		}
		parts = append(parts, w.texts.Say(sentence.Cell, "report", "within", "tolerance", a.Tolerance, "limit", limit))
	}
	mark := "missed"
	if a.Met {
		mark = "met"
	}
	return strings.TrimSpace(strings.Join(parts, "; ") + " " + w.texts.Text("outcome", mark))
}

func (w writer) drift(e *evaluation.Evaluation) string {
	var b strings.Builder
	b.WriteString(w.texts.Say(sentence.Markdown, "report", "drift_limits", "psi", e.Limits.PSI, "ks_p", e.Limits.KSP) + "\n\n")
	b.WriteString(w.text("drift_table") + "\n" + rule(8))
	for _, d := range e.Drift {
		status := "drift_within"
		switch {
		case !d.Known:
			status = "drift_few"
		case d.Moved:
			status = "drift_moved"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %d, %d | %s |\n", d.Quantity, fixed(d.PSI, 4), fixed(d.Noise, 4), fixed(d.KS, 4), probability(d.KSP), fixed(d.JensenShannon, 4),
			d.Baseline, d.Candidate, w.text(status))
	}
	return b.String()
}

// inResults are told in the results, beside the figures they are about, and not
// twice.
var inResults = []string{"unclear", "too_few", "same"}

// together are the reasons that stand as one sentence for all metrics that they
// are about; the figures of each stand in the tables above.
var together = map[string]string{"shown_better": "better", "shown_worse": "worse", "drifted": "moved"}

// decision is the recommendation and why. Of a candidate that was not measured
// only that is told: whatever else the figures say, they say of the baseline.
func (w writer) decision(e *evaluation.Evaluation) string {
	var b strings.Builder
	key := map[evaluation.Recommendation]string{evaluation.Go: "recommend_go", evaluation.NoGo: "recommend_no_go", evaluation.None: "recommend_none"}[e.Recommendation]
	if !e.Measured {
		key = "recommend_unmeasured"
	}
	b.WriteString("**" + w.text(key) + "**\n\n")
	item := func(weight evaluation.Weight, text string) {
		b.WriteString("- " + w.texts.Text("evaluation", string(weight)) + " " + text + "\n")
	}
	named := map[string][]string{} // what reasons are about that stand as one
	for _, r := range e.Reasons {
		named[string(r.Weight)+together[r.Key]] = append(named[string(r.Weight)+together[r.Key]], "`"+cmp.Or(r.Args["metric"], r.Args["quantity"])+"`")
	}
	for _, r := range e.Reasons {
		all := string(r.Weight) + together[r.Key]
		switch {
		case !e.Measured && r.Weight != evaluation.Open, r.Weight == evaluation.Note && slices.Contains(inResults, r.Key):
		case together[r.Key] == "":
			item(r.Weight, w.reason(r))
		case named[all] != nil:
			item(r.Weight, sentence.FillRaw(w.texts.Text("evaluation", together[r.Key]), map[string]string{"metrics": strings.Join(named[all], ", ")}))
			delete(named, all)
		}
	}
	decide := "decide"
	if e.Recommendation == evaluation.None {
		decide = "decide_none"
	}
	b.WriteString("\n" + w.text(decide) + "\n")
	return b.String()
}

// reason is a reason's sentence, its figures rounded as the tables have them.
func (w writer) reason(r evaluation.Reason) string {
	args := maps.Clone(r.Args)
	metric := args["metric"]
	for k, v := range args {
		switch k {
		case "value", "baseline", "limit", "recomputed":
			if metric != "" {
				args[k] = value(metric, v)
			}
		case "delta", "low", "high":
			args[k] = delta(metric, v)
		case "p", "ks_p", "least":
			args[k] = probability(v)
		case "psi":
			args[k] = fixed(v, 4)
		case "statistic":
			args[k] = name(v)
		}
	}
	return w.texts.SayMap(sentence.Markdown, "evaluation", r.Key, args)
}

func model(s evaluation.Subject) string {
	switch {
	case s.Name != "" && s.Version != "":
		return s.Name + "@" + s.Version
	case s.Name != "":
		return s.Name
	case s.Printed != "":
		return s.Printed
	}
	return "–"
}

func judge(s evaluation.Subject) string {
	return strings.Trim(s.JudgeModel+", "+s.JudgePrompt, ", ")
}

// name is a statistic as people write it.
func name(statistic string) string {
	if statistic == benchmark.P95 {
		return "P95"
	}
	return statistic
}

// places are the decimals of a metric's figures.
func places(metric string) int32 {
	if metric == benchmark.Latency {
		return 1
	}
	return 4
}

func value(metric, figure string) string { return fixed(figure, places(metric)) }

// fixed rounds a figure; "–" is none.
func fixed(figure string, decimals int32) string {
	d, err := decimal.NewFromString(figure)
	if err != nil {
		return "–"
	}
	return minus(d.StringFixed(decimals))
}

// delta is a figure with its sign.
func delta(metric, figure string) string {
	d, err := decimal.NewFromString(figure)
	if err != nil {
		return "–"
	}
	text := minus(d.StringFixed(places(metric)))
	if d.Round(places(metric)).IsPositive() {
		return "+" + text
	}
	return text
}

// minus writes the sign as one, and no sign before zero.
func minus(s string) string {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		if strings.Trim(rest, "0.") == "" {
			return rest
		}
		return "\u2212" + rest
	}
	return s
}

func interval(m evaluation.Metric) string {
	if m.Low == "" {
		return "–"
	}
	return delta(m.Name, m.Low) + " … " + delta(m.Name, m.High)
}

// probability is a p with four decimals; a smaller one is said to be so.
func probability(p string) string {
	d, err := decimal.NewFromString(p)
	if err != nil {
		return "–"
	}
	if least := decimal.New(1, -4); d.LessThan(least) {
		return "< 0.0001"
	}
	return d.StringFixed(4)
}

func sign(m evaluation.Metric) string {
	if m.Better == benchmark.Lower {
		return "≤"
	}
	return "≥"
}

// threshold is the policy's band as plans print it.
func threshold(m evaluation.Metric) string {
	var parts []string
	if m.Pass != "" {
		parts = append(parts, sign(m)+m.Pass+" pass")
	}
	if m.Warn != "" {
		parts = append(parts, sign(m)+m.Warn+" warn")
	}
	if len(parts) == 0 {
		return "—"
	}
	return strings.Join(parts, " / ")
}

// chartAlt is the chart in words, for whoever does not see it.
func (w writer) chartAlt(e *evaluation.Evaluation) string {
	var figures []string
	for _, m := range e.Metrics {
		figures = append(figures, w.texts.Say(sentence.Markdown, "report", "chart_figure", "metric", m.Name, "baseline", value(m.Name, m.Baseline.Value), "candidate", value(m.Name, m.Candidate.Value)))
	}
	return w.texts.Say(sentence.Plain, "report", "chart_alt", "figures", strings.Join(figures, ", "))
}
