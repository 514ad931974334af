// Package registry reads which models there are (models/registry.yaml) and
// which one each scenario runs (deploy/model_pointer.yaml), and says what a
// change of either must have.
//
// It is given bytes and the decisions on record; it reads and writes no files
// and knows no tags or people of its own. PutEntry and PutTarget give the text
// that a change would make of a file, and touch nothing else in it. What an
// entry cannot be read from is a problem and gives no entry, so an unreadable
// model can be neither a baseline nor a rollback target.
package registry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

// Status is what became of a model.
type Status string

// The statuses.
const (
	Baseline  Status = "baseline"
	Candidate Status = "candidate"
	Released  Status = "released"
	Rejected  Status = "rejected"
	Retired   Status = "retired"
)

var statuses = []Status{Baseline, Candidate, Released, Rejected, Retired}

// maxEntries is how many models or scenarios a file may name.
const maxEntries = 1_000

// Entry is one version of one model.
type Entry struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest,omitempty"` // "sha256:" and 64 hex digits; "" before it was trained
	Config  string `json:"config,omitempty"`
	Pilot   string `json:"pilot,omitempty"`
	Status  Status `json:"status"`

	At     finding.Position            `json:"-"`
	Places map[string]finding.Position `json:"-"` // of the values, by key
}

// ID is "name@version".
func (e Entry) ID() string { return e.Name + "@" + e.Version }

// Usable tells whether a deployment may run it or fall back to it.
func (e Entry) Usable() bool {
	return e.Digest != "" && (e.Status == Baseline || e.Status == Released)
}

// place is where a key's value stands, else the entry.
func (e Entry) place(key string) finding.Position {
	if at, ok := e.Places[key]; ok {
		return at
	}
	return e.At
}

// Registry is the list of models in the order of the file.
type Registry struct {
	Path     string
	Entries  []Entry
	Problems []finding.Finding
}

// Find looks a model up as people name it: "name@version", "name version", a
// digest with or without "sha256:", "name@sha256:…", or a name alone where only
// one version has it.
func (r Registry) Find(text string) (Entry, bool) {
	text = strings.TrimSpace(text)
	if digest := bareDigest(text); digest != "" {
		return r.one(func(e Entry) bool { return e.Digest == digest })
	}
	name, version, ok := strings.Cut(text, "@")
	if !ok {
		if fields := strings.Fields(text); len(fields) == 2 {
			name, version, ok = fields[0], fields[1], true
		}
	}
	if !ok {
		return r.one(func(e Entry) bool { return e.Name == text })
	}
	if digest := bareDigest(version); digest != "" {
		return r.one(func(e Entry) bool { return e.Name == name && e.Digest == digest })
	}
	return r.one(func(e Entry) bool { return e.Name == name && e.Version == version })
}

// one returns the entry that alone fits.
func (r Registry) one(fits func(Entry) bool) (Entry, bool) {
	found := Entry{}
	n := 0
	for _, e := range r.Entries {
		if fits(e) {
			found, n = e, n+1
		}
	}
	return found, n == 1
}

var (
	nameShape    = form.Of("A-Za-z0-9", "A-Za-z0-9_./-", 100)
	versionShape = form.Of("A-Za-z0-9", "A-Za-z0-9_.+-", 64)
	configShape  = form.Of("A-Za-z0-9_.", "A-Za-z0-9_./ -", 300)
)

// isDigest takes a digest in its full form or bare.
func isDigest(text string) bool { return bareDigest(text) != "" }

// bareDigest returns a digest in its full form, "" if the text is none.
func bareDigest(text string) string {
	bare := strings.TrimPrefix(text, "sha256:")
	if !form.SHA256(bare) {
		return ""
	}
	return "sha256:" + bare
}

// Parse reads a registry: a list of entries under "models", or the list alone.
func Parse(path string, src []byte) Registry {
	r := &reading{}
	out := Registry{Path: path}
	root, problem := strictyaml.Parse(path, src)
	switch {
	case problem != nil:
		r.add("RL001", problem.Case, finding.Error, problem.At, problem.Args)
	case root.Kind == strictyaml.List:
		out.Entries = r.entries(root)
	case root.Kind == strictyaml.Map:
		for _, e := range root.Entries {
			if e.Key != "models" {
				r.unknown(e, []string{"models"})
			}
		}
		if models := root.Get("models"); models != nil && models.Kind == strictyaml.List {
			out.Entries = r.entries(models)
		} else if models != nil && models.Kind != strictyaml.Null {
			r.find("RL001", "not_a_list", models.At)
		}
	default:
		r.find("RL001", "not_a_list", root.At)
	}
	out.Problems = r.findings
	finding.Sort(out.Problems)
	return out
}

type reading struct{ findings []finding.Finding }

func (r *reading) add(rule, kase string, s finding.Severity, at finding.Position, args map[string]string) {
	r.findings = append(r.findings, finding.Finding{Rule: rule, Case: kase, Severity: s, At: at, Args: args})
}

func (r *reading) find(rule, kase string, at finding.Position, args ...string) {
	m := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	r.add(rule, kase, finding.Error, at, m)
}

// unknown keys only warn: people keep owners and notes beside their models.
func (r *reading) unknown(e strictyaml.Entry, known []string) {
	r.add("RL002", "unknown_key", finding.Warning, e.At, map[string]string{"key": clip(e.Key), "allowed": strings.Join(known, ", ")})
}

func clip(s string) string {
	const most = 60
	if c := []rune(s); len(c) > most {
		return string(c[:most-1]) + "…"
	}
	return s
}

var entryKeys = []string{"name", "version", "digest", "config", "pilot", "status"}

func (r *reading) entries(list *strictyaml.Node) []Entry {
	if len(list.Items) > maxEntries {
		r.find("RL001", "too_many_entries", list.Items[maxEntries].At, "limit", strconv.Itoa(maxEntries))
		return nil
	}
	var out []Entry
	for _, n := range list.Items {
		e, ok := r.entry(n)
		if !ok {
			continue
		}
		for _, o := range out {
			switch {
			case o.ID() == e.ID():
				r.find("RL003", "duplicate", e.At, "model", e.ID(), "line", strconv.Itoa(o.At.Line))
				ok = false
			case o.Digest != "" && o.Digest == e.Digest:
				r.find("RL003", "same_digest", e.place("digest"), "model", e.ID(), "other", o.ID())
			}
		}
		if ok {
			out = append(out, e)
		}
	}
	return out
}

// scalars reads a map of texts, each by its shape.
func (r *reading) scalars(rule string, n *strictyaml.Node, keys []string, shapes map[string]func(string) bool) (values map[string]string, places map[string]finding.Position, ok bool) {
	values, places = map[string]string{}, map[string]finding.Position{}
	if n.Kind != strictyaml.Map {
		r.find(rule, "not_a_map", n.At)
		return values, places, false
	}
	ok = true
	for _, e := range n.Entries {
		if !slices.Contains(keys, e.Key) {
			r.unknown(e, keys)
			continue
		}
		if e.Value.Kind == strictyaml.Null {
			continue // "digest:" without a value yet
		}
		scalar := e.Value.Kind == strictyaml.Text || e.Value.Kind == strictyaml.Number
		if !scalar || !shapes[e.Key](e.Value.Text) {
			r.find(rule, "shape", e.Value.At, "key", e.Key, "value", clip(e.Value.Text))
			ok = false
			continue
		}
		values[e.Key], places[e.Key] = e.Value.Text, e.Value.At
	}
	return values, places, ok
}

var entryShapes = map[string]func(string) bool{
	"name": nameShape, "version": versionShape, "digest": isDigest, "config": configShape, "pilot": form.Pilot,
	"status": form.Of("a-z", "a-z", 20),
}

func (r *reading) entry(n *strictyaml.Node) (Entry, bool) {
	values, places, ok := r.scalars("RL003", n, entryKeys, entryShapes)
	if !ok {
		return Entry{}, false
	}
	e := Entry{
		Name: values["name"], Version: values["version"], Digest: bareDigest(values["digest"]),
		Config: values["config"], Pilot: values["pilot"], Status: Status(values["status"]),
		At: n.At, Places: places,
	}
	switch {
	case e.Name == "" || e.Version == "" || e.Status == "":
		for _, key := range []string{"name", "version", "status"} {
			if values[key] == "" {
				r.find("RL003", "missing", e.At, "key", key)
			}
		}
		return e, false
	case !slices.Contains(statuses, e.Status):
		r.find("RL003", "status", e.place("status"), "value", string(e.Status), "allowed", fmt.Sprint(statuses))
		return e, false
	case e.Digest == "" && e.Status == Released:
		r.find("RL003", "no_digest", e.At, "model", e.ID())
	case slices.Contains(strings.Split(e.Config, "/"), ".."):
		r.find("RL003", "shape", e.place("config"), "key", "config", "value", clip(e.Config))
		return e, false
	}
	return e, true
}
