package evaluation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/form"
)

// Caps on a run's samples as they are kept.
const (
	// MaxSampleFile is the most bytes of one file; a run with more samples has
	// several (see SampleFiles).
	MaxSampleFile = 1 << 20
	maxSampleID   = 200 // characters
	maxFigure     = 40  // characters, as benchmark.ParseNumber reads
	maxDecimals   = 24  // digits behind the point that are kept
)

// line is one sample as it is kept: no text of its own but the id.
type line struct {
	ID      string             `json:"sample_id"`
	Scores  map[string]numeral `json:"scores"`
	Summary string             `json:"summary_sha256,omitempty"`
	Length  int                `json:"summary_length,omitempty"`
}

// numeral is a decimal that JSON has as a number, digit for digit.
type numeral struct{ decimal.Decimal }

func (n numeral) MarshalJSON() ([]byte, error) { return []byte(n.String()), nil }

func (n *numeral) UnmarshalJSON(b []byte) error {
	d, ok := benchmark.ParseNumber(string(b))
	if !ok {
		return errors.New("no number")
	}
	n.Decimal = d
	return nil
}

// ErrSamples says that samples are not as WriteSamples writes them. It wraps
// nothing of their content.
var ErrSamples = errors.New("samples are not in the form in which they are kept")

// WriteSamples writes a run's samples as they are kept: JSON Lines, in the
// run's order, {"sample_id":"d-001","scores":{"coverage":0.91}}, the keys of
// scores sorted, with hash and length of the summary where the run has them.
// Decimals beyond 24 digits are rounded. An id or figure beyond the caps is an
// error.
func WriteSamples(samples []benchmark.Sample) ([]byte, error) {
	var b bytes.Buffer
	for i, s := range samples {
		one, err := writeSample(s)
		if err != nil {
			return nil, fmt.Errorf("write sample %d: %w", i+1, err)
		}
		b.Write(one)
	}
	return b.Bytes(), nil
}

func writeSample(s benchmark.Sample) ([]byte, error) {
	l := line{ID: s.ID, Scores: map[string]numeral{}, Summary: s.Summary, Length: s.Length}
	for metric, v := range s.Scores {
		l.Scores[metric] = numeral{v.Round(maxDecimals)}
	}
	if !l.valid() {
		return nil, ErrSamples
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return b.Bytes(), nil
}

func (l line) valid() bool {
	if l.ID == "" || !utf8.ValidString(l.ID) || utf8.RuneCountInString(l.ID) > maxSampleID || l.Length < 0 || l.Length > benchmark.MaxResultBytes ||
		l.Summary != "" && !form.SHA256(l.Summary) {
		return false
	}
	for metric, v := range l.Scores {
		if !benchmark.Known(metric) || len(v.String()) > maxFigure {
			return false
		}
	}
	return true
}

// ParseSamples reads what WriteSamples wrote, and nothing else: other bytes for
// the same samples are ErrSamples, and so is an id that stands twice.
func ParseSamples(src []byte) ([]benchmark.Sample, error) {
	if len(src) > MaxSampleFile {
		return nil, ErrSamples
	}
	var out []benchmark.Sample
	seen := map[string]bool{}
	for rest := src; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return nil, ErrSamples
		}
		s, ok := parseSample(rest[:end])
		if !ok || seen[s.ID] {
			return nil, ErrSamples
		}
		seen[s.ID] = true
		out = append(out, s)
		rest = rest[end+1:]
	}
	again, err := WriteSamples(out)
	if err != nil || !bytes.Equal(again, src) {
		return nil, ErrSamples
	}
	return out, nil
}

func parseSample(src []byte) (benchmark.Sample, bool) {
	var l line
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return benchmark.Sample{}, false
	}
	if _, err := d.Token(); err != io.EOF {
		return benchmark.Sample{}, false
	}
	s := benchmark.Sample{ID: l.ID, Scores: map[string]decimal.Decimal{}, Summary: l.Summary, Length: l.Length}
	for metric, v := range l.Scores {
		s.Scores[metric] = v.Decimal
	}
	return s, true
}

// Sides of an evaluation, in the names of its sample files.
const (
	BaselineSide  = "baseline"
	CandidateSide = "candidate"
)

// SampleFile is one file of samples, named within the pilot's results folder.
type SampleFile struct {
	Name  string // "<run>-<side>.jsonl", from the second one on "<run>-<side>-<n>.jsonl"
	Bytes []byte
}

// SampleFiles writes a run's samples into as many files as the cap needs. Run
// names the workflow run, or what else brought the result.
func SampleFiles(run, side string, samples []benchmark.Sample) ([]SampleFile, error) {
	var out []SampleFile
	name := func() string {
		if len(out) == 0 {
			return run + "-" + side + ".jsonl"
		}
		return run + "-" + side + "-" + strconv.Itoa(len(out)+1) + ".jsonl"
	}
	var b []byte
	for i, s := range samples {
		one, err := writeSample(s)
		if err != nil {
			return nil, fmt.Errorf("write sample %d: %w", i+1, err)
		}
		if len(b)+len(one) > MaxSampleFile {
			out = append(out, SampleFile{Name: name(), Bytes: b})
			b = nil
		}
		b = append(b, one...)
	}
	if len(b) > 0 {
		out = append(out, SampleFile{Name: name(), Bytes: b})
	}
	return out, nil
}
