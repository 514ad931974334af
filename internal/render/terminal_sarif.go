package render

import (
	"slices"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/judge"
)

// The part of SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0) that a code
// scanning upload reads.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	InformationURI  string      `json:"informationUri"`
	SemanticVersion string      `json:"semanticVersion,omitempty"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string     `json:"id"`
	Name             string     `json:"name,omitempty"`
	ShortDescription *sarifText `json:"shortDescription,omitempty"`
	FullDescription  *sarifText `json:"fullDescription,omitempty"`
	HelpURI          string     `json:"helpUri"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
	Fixes     []sarifFix      `json:"fixes,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation sarifPlace `json:"physicalLocation"`
}

type sarifPlace struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine,omitempty"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"` // exclusive, as SARIF counts
}

type sarifFix struct {
	Description     sarifText     `json:"description"`
	ArtifactChanges []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	ArtifactLocation sarifArtifact      `json:"artifactLocation"`
	Replacements     []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	DeletedRegion   sarifBytes `json:"deletedRegion"`
	InsertedContent sarifText  `json:"insertedContent"`
}

// sarifBytes is a region by bytes; a length of zero must still be written.
type sarifBytes struct {
	Offset int `json:"byteOffset"`
	Length int `json:"byteLength"`
}

// sarifRoot is the uriBaseId that code scanning resolves to the repository.
const sarifRoot = "%SRCROOT%"

// SARIF is the verdict for code scanning. version is the program's, "" unknown.
func (w *Words) SARIF(v judge.Verdict, version string) ([]byte, error) {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "pilotgate", InformationURI: "https://github.com/pilotgate/pilotgate", SemanticVersion: version, Rules: []sarifRule{},
		}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	var fs []finding.Finding
	for _, c := range v.Checks {
		fs = append(fs, c.Findings...)
	}
	fs = append(fs, v.Dossier.PolicyFindings...)
	fs = append(fs, v.Dossier.RolesFindings...)
	for _, f := range fs {
		i := slices.IndexFunc(run.Tool.Driver.Rules, func(r sarifRule) bool { return r.ID == f.Rule })
		if i < 0 {
			i = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, w.sarifRule(f.Rule))
		}
		run.Results = append(run.Results, w.sarifResult(f, i))
	}
	return encodeJSON(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func (w *Words) sarifRule(id string) sarifRule {
	r := sarifRule{ID: id, HelpURI: docsLink}
	if words, ok := w.rules[id]; ok {
		r.Name, r.ShortDescription = words.Title, &sarifText{words.Title}
		if words.Harm != "" {
			r.FullDescription = &sarifText{words.Harm}
		}
	}
	return r
}

func (w *Words) sarifResult(f finding.Finding, rule int) sarifResult {
	message := w.Message(f)
	if mend := w.mend(f, plain); mend != "" {
		message += " " + mend
	}
	r := sarifResult{RuleID: f.Rule, RuleIndex: rule, Level: string(f.Severity), Message: sarifText{message}}
	if f.At.Path == "" {
		return r
	}
	place := sarifPlace{ArtifactLocation: sarifArtifact{urlPath(f.At.Path), sarifRoot}}
	if f.At.Line > 0 {
		place.Region = &sarifRegion{StartLine: f.At.Line, StartColumn: f.At.Column, EndLine: f.At.EndLine}
		if f.At.EndColumn > 0 {
			place.Region.EndColumn = f.At.EndColumn + 1
		}
	}
	r.Locations = []sarifLocation{{place}}
	if m := f.Mend; m != nil {
		r.Fixes = []sarifFix{{
			Description: sarifText{w.mend(f, plain)},
			ArtifactChanges: []sarifChange{{
				ArtifactLocation: sarifArtifact{urlPath(m.Path), sarifRoot},
				Replacements:     []sarifReplacement{{sarifBytes{m.Start, m.End - m.Start}, sarifText{m.Text}}},
			}},
		}}
	}
	return r
}
