package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/gowebpki/jcs"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/plan"
)

// DigestVersion is the format of the subject; another format is another digest.
const DigestVersion = "pilotgate/subject/v1"

// Subject is what people approve, in the form whose canonical JSON (RFC 8785)
// is hashed. docs/digest.md has the fields and test vectors. It holds no time,
// no person in a role and nothing that we write ourselves, or an approval
// would make itself void.
type Subject struct {
	Version    string `json:"version"`
	Rules      string `json:"rules"` // rule-catalogue version
	Repository int64  `json:"repository"`
	Base       string `json:"base"`
	Number     int    `json:"pull_request"`

	// A pilot request:
	Pilot      string   `json:"pilot,omitempty"`
	PlanPath   string   `json:"plan_path,omitempty"`
	Plan       string   `json:"plan,omitempty"` // sha256 of the normalised text
	Card       *FileRef `json:"data_card,omitempty"`
	Dataset    *DataRef `json:"dataset,omitempty"`
	Evaluation *DataRef `json:"evaluation_dataset,omitempty"`
	Config     *FileRef `json:"training_config,omitempty"`
	Script     *FileRef `json:"training_script,omitempty"`
	Prompt     *FileRef `json:"prompt,omitempty"`

	// Any other governed change:
	Files []FileRef `json:"files,omitempty"`

	// From the base branch, as effective for this request:
	Effective json.RawMessage `json:"policy"`
	Models    json.RawMessage `json:"models,omitempty"`
	Workflows []FileRef       `json:"workflows,omitempty"`
}

// FileRef names a file by git blob id, which is content.
type FileRef struct {
	Path string `json:"path"`
	Mode string `json:"mode,omitempty"`
	Blob string `json:"blob,omitempty"` // "" where there is no such file
	At   string `json:"at,omitempty"`   // the named commit, if not head
}

// DataRef names a dataset as the plan states it; no scan is needed for it.
type DataRef struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Blob   string `json:"blob,omitempty"`
	Size   int64  `json:"bytes,omitempty"`
}

// Digest is the sha256 of the subject, as hex, with what went into it. It is
// empty while documents are missing, and where nothing is governed.
func (d *Dossier) Digest(rulesVersion string) (string, Subject) {
	s := Subject{
		Version: DigestVersion, Rules: rulesVersion,
		Repository: d.Pull.Repository.ID, Base: d.Pull.Base.Ref, Number: d.Pull.Number,
	}
	switch {
	case d.Request != nil:
		d.requestSubject(&s)
	case len(d.Governed) > 0:
		s.Effective = encode(d.Policy.Effective("", d.Roles.Required()))
	default:
		return "", s
	}
	named := map[string]bool{}
	if d.Request != nil {
		named[d.Request.Path] = true
	}
	for _, c := range d.Governed {
		if !named[c.Path] {
			s.Files = append(s.Files, FileRef{Path: c.Path, Mode: c.After.Mode, Blob: c.After.OID})
		}
	}
	return s.Digest(), s
}

// Digest hashes the canonical form.
func (s Subject) Digest() string {
	raw := encode(s)
	canonical, err := jcs.Transform(raw)
	if err != nil { // our own JSON: cannot happen
		panic(err)
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

func (d *Dossier) requestSubject(s *Subject) {
	q := d.Request
	s.Pilot, s.PlanPath = q.PilotID, q.Path
	s.Plan = string(normalised(q.Source.Blob))
	if q.CardPath != "" {
		s.Card = &FileRef{Path: q.CardPath, Mode: q.CardFile.Entry.Mode, Blob: q.CardFile.Entry.OID}
	}
	s.Dataset = q.dataRef(q.Dataset, plan.DatasetSHA256)
	s.Evaluation = q.dataRef(q.Evaluation, plan.EvaluationSHA256)
	s.Config = q.fileAtCommit(plan.Config)
	s.Script = q.fileAtCommit(plan.Script)
	s.Prompt = q.fileAtCommit(plan.PromptFile)
	s.Effective = encode(d.Policy.Effective(q.Scenario, d.Roles.Required()))
	s.Models = encode(q.models())
	for _, w := range q.Workflows {
		s.Workflows = append(s.Workflows, FileRef{Path: w.Path, Mode: w.Entry.Mode, Blob: w.Entry.OID})
		for _, u := range w.Uses {
			s.Workflows = append(s.Workflows, FileRef{Path: u.Path, Mode: u.After.Mode, Blob: u.After.OID})
		}
	}
}

func (q *Request) dataRef(d Dataset, f plan.Field) *DataRef {
	if !d.Named {
		return nil
	}
	stated, _ := q.Plan.Get(f)
	ref := &DataRef{Path: d.Path, SHA256: strings.ToLower(stated.Text)}
	if d.Found {
		ref.Blob, ref.Size = d.Entry.OID, d.Entry.Size
	}
	return ref
}

// fileAtCommit is a file that the plan names, as it is at the named commit.
func (q *Request) fileAtCommit(f plan.Field) *FileRef {
	v, ok := q.Plan.Get(f)
	if !ok {
		return nil
	}
	p := clean(v.Text)
	if p == "" {
		return nil
	}
	ref := &FileRef{Path: p}
	if !q.CommitThis {
		ref.At = q.Commit
	}
	if e, ok := q.CommitTree.Entries[p]; ok {
		ref.Mode, ref.Blob = e.Mode, e.OID
	}
	return ref
}

// models are the base branch's entries of baseline and rollback target.
func (q *Request) models() map[string]any {
	out := map[string]any{}
	for name, f := range map[string]plan.Field{"baseline": plan.BaselineModel, "rollback": plan.RollbackTarget} {
		if v, ok := q.Plan.Get(f); ok {
			if e, ok := q.BaseRegistry.Find(v.Text); ok {
				out[name] = map[string]string{"name": e.Name, "version": e.Version, "digest": e.Digest}
			}
		}
	}
	return out
}

// FileAt is a file that the plan names, at the plan's commit.
func (q *Request) FileAt(f plan.Field) (path string, e facts.Entry, found bool) {
	v, ok := q.Plan.Get(f)
	if !ok {
		return "", facts.Entry{}, false
	}
	path = clean(v.Text)
	e, found = q.CommitTree.Entries[path]
	return path, e, found
}

// planHash is the sha256, in hex, of a plan without what approvals do not depend
// on: plans of one hash are the same to whoever approved.
type planHash string

func normalised(b facts.Blob) planHash {
	return facts.Read(b, "", func(_ string, src []byte) planHash { return planHash(hash(plan.Normalised(src))) })
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil { // plain data: cannot happen
		panic(err)
	}
	return raw
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Hash is a sha256 as hex.
func Hash(b []byte) string { return hash(b) }

// Ingredients are what went into the digest, name to value, for the record
// and for people who compare.
func (s Subject) Ingredients() map[string]string {
	out := map[string]string{
		"format": s.Version, "rules": s.Rules, "base": s.Base, "policy": "sha256:" + hash(s.Effective),
	}
	if s.Plan != "" {
		out["plan"] = "sha256:" + s.Plan
	}
	if len(s.Models) > 0 {
		out["models"] = "sha256:" + hash(s.Models)
	}
	for name, f := range map[string]*FileRef{"data_card": s.Card, "training_config": s.Config, "training_script": s.Script, "prompt": s.Prompt} {
		if f != nil {
			out[name] = "git:" + f.Blob + " " + f.Path
		}
	}
	for name, d := range map[string]*DataRef{"dataset": s.Dataset, "evaluation_dataset": s.Evaluation} {
		if d != nil {
			out[name] = "sha256:" + d.SHA256 + " " + d.Path
		}
	}
	for _, list := range []struct {
		name  string
		files []FileRef
	}{{"workflow", s.Workflows}, {"file", s.Files}} {
		for _, f := range list.files {
			out[list.name+" "+f.Path] = "git:" + f.Blob
		}
	}
	return out
}
