package dossier

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/benchmark"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
)

// Where the benchmark workflow leaves its result.
const (
	BenchmarkArtifact = "benchmark-result"
	BenchmarkFile     = "benchmark-result.json"
)

// Measured is what a run of the benchmark workflow left.
type Measured struct {
	// Found: there is an artifact of that name. Expired: its bytes are gone.
	Found, Expired bool
	// Foreign: the artifact is of another commit or repository than the run, or its
	// bytes are not those that GitHub lists.
	Foreign bool
	SHA256  string // hex, ours, of the zip; "" where it was not read
	// Result is nil where the artifact holds no JSON that is a result; Problems then
	// say why.
	Result   *benchmark.RunnerResult
	Problems []finding.Finding
}

// ReadMeasured reads the newest result that a completed run left. An artifact
// that came after the run had ended is none of its.
func ReadMeasured(c *facts.Common, run facts.Run) (Measured, []facts.Need) {
	list := facts.Need{Kind: facts.NeedArtifacts, ID: run.ID}
	if !c.Answered(list) {
		return Measured{}, []facts.Need{list}
	}
	var newest facts.ArtifactInfo
	for _, a := range c.Artifacts[list.Key()].List {
		if a.Name == BenchmarkArtifact && a.ID > newest.ID && !a.CreatedAt.After(run.UpdatedAt) {
			newest = a
		}
	}
	m := Measured{Found: newest.ID != 0, Expired: newest.Expired}
	if !m.Found || m.Expired {
		return m, nil
	}
	if m.Foreign = newest.HeadOID != run.HeadOID || newest.HeadRepo != run.HeadRepo; m.Foreign {
		return m, nil
	}
	n := facts.Need{Kind: facts.NeedArtifact, ID: newest.ID}
	if !c.Answered(n) {
		return m, []facts.Need{n}
	}
	content := c.Contents[n.Key()]
	m.SHA256, m.Expired = content.SHA256, content.Absent
	if m.Foreign = newest.Digest != "" && newest.Digest != "sha256:"+content.SHA256 && !content.Absent; m.Foreign || m.Expired {
		return m, nil
	}
	raw, there := content.Files[BenchmarkFile]
	if !there {
		return m, nil
	}
	result, problems := benchmark.ParseResult(raw)
	m.Problems = problems
	if finding.Count(problems, finding.Error) == 0 {
		m.Result = &result
	}
	return m, nil
}

// speaks tells a result that is broken in its figures from what is none: the
// first says something about the benchmark, the second about the machines.
func (m Measured) speaks() bool {
	return slices.ContainsFunc(m.Problems, func(f finding.Finding) bool { return f.Rule == "RS004" || f.Rule == "RS005" })
}
