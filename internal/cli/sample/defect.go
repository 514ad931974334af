package sample

import "strings"

// Defect is one thing that somebody got wrong in a pilot's pull request.
type Defect string

// The defects, each told by the rule behind it.
const (
	MissingSeed        Defect = "missing-seed"       // CF004
	MissingCompute     Defect = "missing-compute"    // CF011
	MissingOptimiser   Defect = "missing-optimiser"  // CF009
	ShortCommit        Defect = "short-commit"       // CF003
	WrongCommit        Defect = "wrong-commit"       // CF003: 40 hex digits that are no commit
	WrongHash          Defect = "wrong-hash"         // DS020: the plan's sha256 is another file's
	WrongCardHash      Defect = "wrong-card-hash"    // DS020: the data card's is
	WrongCount         Defect = "wrong-count"        // DS021 and PL029: five records more than there are
	StatusContradicts  Defect = "status-contradicts" // BL003: coverage passes, the plan says Warn
	ValueDiffers       Defect = "value-differs"      // BL002: accuracy is not what the dataset says
	BandDiffers        Defect = "band-differs"       // BL004: a softer threshold than the policy's
	MeanCalledP95      Defect = "mean-called-p95"    // BL006
	PatchRelease       Defect = "patch-release"      // OP002
	UnknownRollback    Defect = "unknown-rollback"   // OP004
	SameEvaluation     Defect = "same-evaluation"    // PL024: evaluated on what it was trained on
	PhoneNumber        Defect = "phone-number"       // PII101 in record 8
	DuplicateID        Defect = "duplicate-id"       // DS030: record 21 has record 20's id
	NaiveTimestamp     Defect = "naive-timestamp"    // DS050, a warning, in record 3
	ScoreOutOfRange    Defect = "score-out-of-range" // DS006 in record 12
	MissingScores      Defect = "missing-scores"     // BL005: no record has any
	BrokenLine         Defect = "broken-line"        // DS002: record 30 is cut off
	TrainingInTestData Defect = "training-in-test"   // DS040: evaluation record 5 is training record 5
	MissingDataCard    Defect = "missing-data-card"  // PL023
	NoDrift            Defect = "no-drift"           // PL028
	FutureTimestamp    Defect = "future-timestamp"   // DS050: the last record is from the year 2999
	EmptyDataset       Defect = "empty-dataset"      // DS001 and DS021
	LFSPointer         Defect = "lfs-pointer"        // DS060: the object is not there
)

// Defects lists them all.
func Defects() []Defect {
	return []Defect{
		MissingSeed, MissingCompute, MissingOptimiser, ShortCommit, WrongCommit, WrongHash, WrongCardHash, WrongCount,
		StatusContradicts, ValueDiffers, BandDiffers, MeanCalledP95, PatchRelease, UnknownRollback, SameEvaluation,
		PhoneNumber, DuplicateID, NaiveTimestamp, ScoreOutOfRange, MissingScores, BrokenLine, TrainingInTestData,
		MissingDataCard, NoDrift, FutureTimestamp, EmptyDataset, LFSPointer,
	}
}

// inRecords breaks the records before they are counted and hashed, and gives the
// training's. What is not here leaves both datasets as they are.
var inRecords = map[Defect]func(training, evaluation []record) []record{
	// A number of no subscriber: the 900 000 range with zeros is kept for examples.
	PhoneNumber: func(training, _ []record) []record {
		training[7].Source += " Справки по телефону +7 900 000-00-00."
		return training
	},
	DuplicateID: func(training, _ []record) []record {
		training[20].ID = training[19].ID
		return training
	},
	NaiveTimestamp: func(training, _ []record) []record {
		training[2].Timestamp = strings.TrimSuffix(training[2].Timestamp, "Z")
		return training
	},
	ScoreOutOfRange: func(training, _ []record) []record {
		training[11].Truth.Judge.Scores.Coverage = 7500
		return training
	},
	MissingScores: func(training, _ []record) []record {
		for i := range training {
			training[i].Truth.Judge, training[i].Latency = nil, 0
		}
		return training
	},
	TrainingInTestData: func(training, evaluation []record) []record {
		evaluation[4].Source, evaluation[4].Summary = training[4].Source, training[4].Summary
		return training
	},
	FutureTimestamp: func(training, _ []record) []record {
		training[len(training)-1].Timestamp = "2999-01-01T00:00:00Z"
		return training
	},
	EmptyDataset: func(_, _ []record) []record { return nil },
}

// inPlan breaks the plan's text, or the card's.
func (d Defect) inPlan(w *writing) {
	switch d {
	case MissingSeed:
		w.plan.drop("- Seed:")
	case MissingCompute:
		w.plan.drop("- Compute:", "  - Hardware:", "  - Count:", "  - Estimated hours:")
	case MissingOptimiser:
		w.plan.drop("- Optimiser:")
	case ShortCommit:
		w.plan.set("- Git commit:", "`9505cac`")
	case WrongCommit:
		w.plan.set("- Git commit:", "`"+strings.Repeat("dead", 10)+"`")
	case WrongHash:
		w.plan.replace(w.training.sha256, strings.Repeat("0", 64))
	case WrongCardHash:
		w.card.replace(w.training.sha256, strings.Repeat("0", 64))
	case WrongCount:
		w.card.set("- Records:", itoa(w.training.records+5))
		w.plan.replace(itoa(w.training.records)+" records", itoa(w.training.records+5)+" records")
	case StatusContradicts:
		w.plan.status("| Coverage", "Warn")
	case ValueDiffers:
		w.plan.value("| Accuracy", "0.97")
	case BandDiffers:
		w.plan.replace("≥0.88 pass / ≥0.80 warn | Pass", "≥0.85 pass / ≥0.80 warn | Pass")
	case MeanCalledP95:
		w.plan.value("| Latency (P95)", w.training.latencyMean+" s")
	case PatchRelease:
		w.plan.set("- Target release:", "v1.4.1")
	case UnknownRollback:
		w.plan.set("- Rollback target:", "`qwen-7b@0.1`")
	case SameEvaluation:
		w.plan.set("- Evaluation dataset:", "`"+Dataset+"`")
	case MissingDataCard:
		w.plan.drop("- Data card:")
	case NoDrift:
		w.plan.drop("- Drift metrics:")
	}
}
