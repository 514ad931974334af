package rules

import (
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/plan"
)

const (
	e = finding.Error
	w = finding.Warning
	n = finding.Note
)

// Catalogue is every rule. Titles, the harm each prevents, examples and
// sentences stand in templates/messages under the same id. It is a function
// because rules look up rows themselves.
func Catalogue() []Row {
	return []Row{
		// pilot/plan: the request is recognised and complete.
		{ID: "PL001", Check: Plan, Starter: e, Full: e, Firm: true, Run: planLanguage},
		{ID: "PL002", Check: Plan, Starter: e, Full: e, Firm: true},
		{ID: "PL006", Check: Plan, Starter: e, Full: e},
		{ID: "PL007", Check: Plan, Starter: w, Full: w},
		{ID: "PL009", Check: Plan, Starter: e, Full: e},
		{ID: "PL010", Check: Plan, Starter: e, Full: e},
		{ID: "PL011", Check: Plan, Starter: e, Full: e, Firm: true},
		{ID: "PL020", Check: Plan, Starter: w, Full: e, Run: initiator},
		{ID: "PL021", Check: Plan, Starter: w, Full: e, Run: scenario},
		{ID: "PL022", Check: Plan, Starter: w, Full: e, Run: locale},
		{ID: "PL023", Check: Plan, Starter: w, Full: e, Run: dataCard},
		{ID: "PL024", Check: Plan, Starter: w, Full: e, Run: evaluationDataset},
		{ID: "PL025", Check: Plan, Starter: e, Full: e, Run: field(plan.PromptVersion, nil)},
		{ID: "PL026", Check: Plan, Starter: e, Full: e, Run: acceptance},
		{ID: "PL027", Check: Plan, Starter: w, Full: e, Run: latencyTolerance},
		{ID: "PL028", Check: Plan, Starter: w, Full: e, Run: driftMetrics},
		{ID: "PL029", Check: Plan, Starter: w, Full: e, Run: recordCount},
		{ID: "PL031", Check: Plan, Starter: e, Full: e, Run: namedFiles},
		{ID: "PL032", Check: Plan, Starter: e, Full: e, Firm: true, Run: takenID},
		{ID: "PL033", Check: Plan, Starter: e, Full: e, Firm: true, Run: onePlan},
		{ID: "PL034", Check: Plan, Starter: e, Full: e, Firm: true, Run: plainFiles},
		{ID: "PL035", Check: Plan, Starter: e, Full: e, Firm: true, Run: defaultBranch},
		{ID: "PL036", Check: Plan, Starter: e, Full: e, Firm: true, Run: wholeListing},
		{ID: "PL040", Check: Plan, Starter: w, Full: e, Run: namedInText},
		{ID: "PL041", Check: Plan, Starter: e, Full: e, Run: deadLinks},
		{ID: "PL042", Check: Plan, Starter: e, Full: e, Firm: true, Run: credentials},
		{ID: "PL043", Check: Plan, Starter: w, Full: w, Run: manualQA},
		{ID: "PL044", Check: Plan, Starter: w, Full: w, Run: namedReleases},

		// pilot/config: model, hyperparameters, compute; what makes a run repeatable.
		{ID: "CF001", Check: Config, Starter: e, Full: e, Run: baselineModel},
		{ID: "CF002", Check: Config, Starter: e, Full: e, Run: field(plan.TargetModel, nil)},
		{ID: "CF003", Check: Config, Starter: e, Full: e, Run: commit},
		{ID: "CF004", Check: Config, Starter: e, Full: e, Run: field(plan.Seed, integer)},
		{ID: "CF005", Check: Config, Starter: e, Full: e, Firm: true, Run: datasetHash},
		{ID: "CF006", Check: Config, Starter: e, Full: e, Run: field(plan.Epochs, positive)},
		{ID: "CF007", Check: Config, Starter: e, Full: e, Run: field(plan.BatchSize, positiveInteger)},
		{ID: "CF008", Check: Config, Starter: e, Full: e, Run: field(plan.LearningRate, positive)},
		{ID: "CF009", Check: Config, Starter: e, Full: e, Run: field(plan.Optimiser, nil)},
		{ID: "CF010", Check: Config, Starter: e, Full: e, Run: field(plan.MaxInputTokens, positiveInteger)},
		{ID: "CF011", Check: Config, Starter: e, Full: e, Run: compute},
		{ID: "CF012", Check: Config, Starter: e, Full: e, Run: summariseConfig},
		{ID: "CF013", Check: Config, Starter: e, Full: e, Firm: true, Run: pinnedWorkflows},

		// pilot/baseline: the dry run recomputed against the plan's table.
		{ID: "BL001", Check: Baseline, Starter: e, Full: e, Run: baselineTable},
		{ID: "BL002", Check: Baseline, Starter: e, Full: e, Run: baselineValues},
		{ID: "BL003", Check: Baseline, Starter: e, Full: e, Run: baselineStatus},
		{ID: "BL004", Check: Baseline, Starter: e, Full: e, Run: baselineBands},
		{ID: "BL005", Check: Baseline, Starter: e, Full: e, Firm: true, Run: baselineEvidence},
		{ID: "BL006", Check: Baseline, Starter: w, Full: w, Run: baselineStatistic},
		{ID: "BL007", Check: Baseline, Starter: e, Full: e, Run: baselineFails},
		{ID: "BL008", Check: Baseline, Starter: w, Full: w, Run: baselineWarns},
		{ID: "BL009", Check: Baseline, Starter: n, Full: n, Run: worstSample},
		{ID: "BL010", Check: Baseline, Starter: e, Full: e, Run: confirmed},
		{ID: "BL011", Check: Baseline, Starter: n, Full: n, Run: confirming},

		// pilot/operations: monitoring, release, rollback.
		{ID: "OP001", Check: Operations, Starter: w, Full: w, Run: observability},
		{ID: "OP002", Check: Operations, Starter: w, Full: e, Run: releaseVersion},
		{ID: "OP003", Check: Operations, Starter: e, Full: e, Run: releaseFree},
		{ID: "OP004", Check: Operations, Starter: w, Full: e, Run: rollbackTarget},
		{ID: "OP005", Check: Operations, Starter: w, Full: e, Run: pointerFile},
		{ID: "OP006", Check: Operations, Starter: w, Full: w, Run: metricsExist},
		{ID: "OP007", Check: Operations, Starter: w, Full: w, Run: recoveryGate},
		{ID: "OP008", Check: Operations, Starter: w, Full: e, Run: rehearsal},

		// Governed files other than plans. The languages' own findings (SG, RL, PO)
		// come through the row that reads the file.
		{ID: "SG001", Check: Signoff, Starter: e, Full: e, Firm: true, Run: ledgerAppend},
		{ID: "SG002", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG003", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG004", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG005", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG006", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG007", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG008", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG009", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG010", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG011", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG012", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG013", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "SG014", Check: Signoff, Starter: e, Full: e, Firm: true},
		{ID: "RP001", Check: Report, Starter: e, Full: e, Firm: true, Run: reportOfSignoff},
		{ID: "RP002", Check: Report, Starter: e, Full: e, Firm: true, Run: reportParts},
		{ID: "RP003", Check: Report, Starter: e, Full: e, Firm: true, Run: reportDecision},
		{ID: "RP004", Check: Report, Starter: w, Full: w, Run: reportFigures},
		{ID: "RP005", Check: Report, Starter: e, Full: e, Firm: true, Run: reportChart},
		{ID: "RP006", Check: Report, Starter: e, Full: e, Firm: true, Run: reportedResults},
		{ID: "RL001", Check: Release, Starter: e, Full: e, Firm: true, Run: models},
		{ID: "RL002", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "RL003", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "RL004", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "RL005", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "RL006", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "RL007", Check: Release, Starter: e, Full: e, Firm: true},
		{ID: "PO001", Check: Policy, Starter: e, Full: e, Firm: true, Run: policyReads},
		{ID: "PO026", Check: Policy, Starter: e, Full: e, Firm: true, Run: pinnedProposals},

		// pilot/dataset: what the scan saw. Limits are shares of the records.
		{ID: "DS001", Check: Dataset, Starter: e, Full: e, Run: datasetBytes},
		{ID: "DS002", Check: Dataset, Starter: e, Full: e},
		{ID: "DS003", Check: Dataset, Starter: e, Full: e},
		{ID: "DS004", Check: Dataset, Starter: w, Full: w, Run: schemaPinned},
		{ID: "DS005", Check: Dataset, Starter: e, Full: e, Limit: "0.001"},
		{ID: "DS006", Check: Dataset, Starter: e, Full: e},
		{ID: "DS007", Check: Dataset, Starter: e, Full: e},
		{ID: "DS010", Check: Dataset, Starter: e, Full: e, Limit: "0.005"},
		{ID: "DS011", Check: Dataset, Starter: w, Full: w, Limit: "0.01"},
		{ID: "DS020", Check: Dataset, Starter: e, Full: e, Firm: true, Run: sameHash},
		{ID: "DS021", Check: Dataset, Starter: e, Full: e, Run: sameCounts},
		{ID: "DS030", Check: Dataset, Starter: e, Full: e},
		{ID: "DS031", Check: Dataset, Starter: w, Full: w, Limit: "0.005"},
		{ID: "DS032", Check: Dataset, Starter: w, Full: w, Limit: "0.02"},
		{ID: "DS040", Check: Dataset, Starter: e, Full: e},
		{ID: "DS041", Check: Dataset, Starter: e, Full: e},
		{ID: "DS042", Check: Dataset, Starter: w, Full: w},
		{ID: "DS050", Check: Dataset, Starter: e, Full: e, Run: notFromTheFuture},
		{ID: "DS051", Check: Dataset, Starter: e, Full: e, Run: cardDates},
		{ID: "DS052", Check: Dataset, Starter: e, Full: e, Run: exporterBefore},
		{ID: "DS060", Check: Dataset, Starter: e, Full: e, Firm: true, Run: datasetThere},
		{ID: "DS061", Check: Dataset, Starter: w, Full: w, Run: waiversInForce},
		{ID: "PII101", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII102", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII103", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII104", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII105", Check: Dataset, Starter: w, Full: w},
		{ID: "PII106", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII107", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII108", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII109", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII110", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII111", Check: Dataset, Starter: w, Full: w},
		{ID: "PII112", Check: Dataset, Starter: w, Full: w, Limit: "0.001"},
		{ID: "PII113", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII114", Check: Dataset, Starter: w, Full: w, Limit: "0.01"},
		{ID: "PII115", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII116", Check: Dataset, Starter: w, Full: w},
		{ID: "PII117", Check: Dataset, Starter: w, Full: w},
		{ID: "PII118", Check: Dataset, Starter: e, Full: e, Firm: true},
		{ID: "PII199", Check: Dataset, Starter: n, Full: n},
	}
}
