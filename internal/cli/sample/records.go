package sample

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// thousandths is a decimal with three digits, so that sums are exact.
type thousandths int

// MarshalJSON writes it without zeros at the end.
func (t thousandths) MarshalJSON() ([]byte, error) {
	s := strings.TrimRight(fmt.Sprintf("%d.%03d", t/1000, t%1000), "0")
	return []byte(strings.TrimSuffix(s, ".")), nil
}

// record is one line of a Stage 05_02 export.
type record struct {
	ID        string      `json:"sample_id"`
	Source    string      `json:"source_text"`
	Summary   string      `json:"summary_markdown"`
	Language  string      `json:"language"`
	Channel   string      `json:"channel"`
	Timestamp string      `json:"timestamp"`
	Metadata  metadata    `json:"metadata"`
	Truth     truth       `json:"ground_truth"`
	Latency   thousandths `json:"latency_seconds,omitempty"`
}

type metadata struct {
	Posts int             `json:"posts_count"`
	Hours int             `json:"time_range_hours"`
	Model string          `json:"llm_model"`
	Flags map[string]bool `json:"feature_flags"`
}

type truth struct {
	Judge *judge `json:"llm_judge,omitempty"`
}

type judge struct {
	Model   string `json:"judge_model"`
	Prompt  string `json:"prompt_version"`
	Scores  scores `json:"scores"`
	Verdict string `json:"verdict"`
	Notes   string `json:"notes"`
}

type scores struct {
	Coverage        thousandths `json:"coverage"`
	Accuracy        thousandths `json:"accuracy"`
	Coherence       thousandths `json:"coherence"`
	Informativeness thousandths `json:"informativeness"`
}

// span is a seed with the days that the records are of.
type export struct {
	seed uint64
	name string
	from time.Time
	days int
}

var (
	trainingSeed   = export{seed: 1, name: "t", from: time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC), days: 61}
	evaluationSeed = export{seed: 2, name: "e", from: time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC), days: 14}
)

// records makes n records in the order of time.
func records(e export, n int) []record {
	r := rand.New(rand.NewPCG(e.seed, 5_03)) // made-up texts, the same each time
	window := time.Duration(e.days) * 24 * time.Hour
	out := make([]record, 0, n)
	for i := range n {
		posts := 4 + r.IntN(4)
		source, summary := news(r, posts)
		at := e.from.Add(window / time.Duration(n) * time.Duration(i)).Truncate(time.Second)
		channel := channels[r.IntN(len(channels))]
		// Around the middle, so that the means are the story's and single
		// samples are better and worse, as real judges' are.
		score := func(middle int) thousandths { return thousandths(min(1000, middle-60+r.IntN(121))) }
		s := scores{score(892), score(921), score(934), score(903)}
		verdict := "MEETS_EXPECTATIONS"
		if s.Coverage+s.Accuracy > 1880 {
			verdict = "EXCEEDS_EXPECTATIONS"
		} else if s.Coverage < 840 {
			verdict = "BELOW_EXPECTATIONS"
		}
		out = append(out, record{
			ID: fmt.Sprintf("digest-%s%05d", e.name, i+1), Source: source, Summary: summary,
			Language: "ru", Channel: channel, Timestamp: at.Format(time.RFC3339),
			Metadata: metadata{Posts: posts, Hours: 24, Model: "qwen-7b", Flags: map[string]bool{"dedup": true}},
			Truth: truth{Judge: &judge{
				Model: "judge-large", Prompt: "judge_v2", Scores: s, Verdict: verdict,
				Notes: notes[r.IntN(len(notes))],
			}},
			Latency: thousandths(60_000 + r.IntN(145_000)),
		})
	}
	return out
}

// datasets are those of a pilot with so many records, as its defects leave them.
func datasets(n, m int, defects []Defect) (training, evaluation measured) {
	if !slices.ContainsFunc(defects, func(d Defect) bool { return inRecords[d] != nil }) {
		return whole(trainingSeed, n), whole(evaluationSeed, m)
	}
	t, e := records(trainingSeed, n), records(evaluationSeed, m)
	for _, d := range defects {
		if breaks := inRecords[d]; breaks != nil {
			t = breaks(t, e)
		}
	}
	return measure(t), measure(e)
}

// made are the datasets without defects: writing one takes as long as checking
// it, and many a world is told of the same.
var made sync.Map // size to measured

type size struct {
	of      export
	records int
}

func whole(of export, n int) measured {
	m, ok := made.Load(size{of, n})
	if !ok {
		m, _ = made.LoadOrStore(size{of, n}, measure(records(of, n)))
	}
	out := m.(measured)
	out.bytes = bytes.Clone(out.bytes) // whoever has it may change it
	return out
}

// measured is a dataset with what plan and card say of it.
type measured struct {
	bytes   []byte
	sha256  string
	records int

	coverage, accuracy, coherence, informativeness string // means, two digits
	latencyP95, latencyMean                        string // seconds, whole
}

func measure(rs []record) measured {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	var latencies []thousandths
	sums := [5]int{}
	judged := 0
	for _, r := range rs {
		must(enc.Encode(r))
		if j := r.Truth.Judge; j != nil {
			judged++
			for i, v := range []thousandths{j.Scores.Coverage, j.Scores.Accuracy, j.Scores.Coherence, j.Scores.Informativeness} {
				sums[i] += int(v)
			}
		}
		if r.Latency > 0 {
			latencies = append(latencies, r.Latency)
			sums[4] += int(r.Latency)
		}
	}
	m := measured{records: len(rs)}
	m.set(b.Bytes())
	mean := func(i int) string {
		return strconv.FormatFloat(float64(sums[i])/1000/float64(max(judged, 1)), 'f', 2, 64)
	}
	m.coverage, m.accuracy, m.coherence, m.informativeness = mean(0), mean(1), mean(2), mean(3)
	m.latencyP95, m.latencyMean = "198", "131"
	if n := len(latencies); n > 0 {
		slices.SortFunc(latencies, cmp.Compare[thousandths])
		whole := func(t int) string { return strconv.FormatFloat(float64(t)/1000, 'f', 0, 64) }
		m.latencyP95 = whole(int(latencies[(95*n+99)/100-1])) // nearest rank
		m.latencyMean = whole(sums[4] / n)
	}
	return m
}

func (m *measured) set(b []byte) {
	sum := sha256.Sum256(b)
	m.bytes, m.sha256 = b, hex.EncodeToString(sum[:])
}
