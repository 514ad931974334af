package registry

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/form"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

// Target is what one scenario runs and what it falls back to.
type Target struct {
	Model    string `json:"model"`
	Version  string `json:"version"`
	Digest   string `json:"digest"`
	Previous string `json:"previous,omitempty"` // "name@version" or a digest; "" for the first model

	At     finding.Position            `json:"-"`
	Places map[string]finding.Position `json:"-"`
}

// ID is "model@version".
func (t Target) ID() string { return t.Model + "@" + t.Version }

func (t Target) same(o Target) bool {
	return t.Model == o.Model && t.Version == o.Version && t.Digest == o.Digest && t.Previous == o.Previous
}

func (t Target) place(key string) finding.Position {
	if at, ok := t.Places[key]; ok {
		return at
	}
	return t.At
}

// Pointer is what is deployed, by scenario.
type Pointer struct {
	Path     string
	Targets  map[string]Target
	Problems []finding.Finding
}

// Scenarios lists the scenarios in order.
func (p Pointer) Scenarios() []string { return slices.Sorted(maps.Keys(p.Targets)) }

var targetKeys = []string{"model", "version", "digest", "previous"}

var targetShapes = map[string]func(string) bool{
	"model": nameShape, "version": versionShape, "digest": isDigest,
	"previous": isPrevious,
}

var previousVersion = form.Of("A-Za-z0-9", "A-Za-z0-9_.+:-", 72)

// isPrevious takes a digest, or a model at a version or digest.
func isPrevious(text string) bool {
	model, version, ok := strings.Cut(text, "@")
	return isDigest(text) || ok && nameShape(model) && previousVersion(version)
}

// ParsePointer reads a deployment pointer: a map from scenario to target.
func ParsePointer(path string, src []byte) Pointer {
	r := &reading{}
	out := Pointer{Path: path, Targets: map[string]Target{}}
	root, problem := strictyaml.Parse(path, src)
	switch {
	case problem != nil:
		r.add("RL001", problem.Case, finding.Error, problem.At, problem.Args)
	case root.Kind != strictyaml.Map:
		r.find("RL001", "not_a_map", root.At)
	case len(root.Entries) > maxEntries:
		r.find("RL001", "too_many_entries", root.Entries[maxEntries].At, "limit", strconv.Itoa(maxEntries))
	default:
		for _, e := range root.Entries {
			if t, ok := r.target(e); ok {
				out.Targets[e.Key] = t
			}
		}
	}
	out.Problems = r.findings
	finding.Sort(out.Problems)
	return out
}

func (r *reading) target(e strictyaml.Entry) (Target, bool) {
	if !nameShape(e.Key) {
		r.find("RL005", "shape", e.At, "key", "scenario", "value", clip(e.Key))
		return Target{}, false
	}
	values, places, ok := r.scalars("RL005", e.Value, targetKeys, targetShapes)
	if !ok {
		return Target{}, false
	}
	t := Target{
		Model: values["model"], Version: values["version"], Digest: bareDigest(values["digest"]), Previous: values["previous"],
		At: e.At, Places: places,
	}
	for _, key := range []string{"model", "version", "digest"} {
		if values[key] == "" {
			r.find("RL005", "missing", e.At, "key", key, "scenario", e.Key)
			ok = false
		}
	}
	return t, ok
}
