package policy

import (
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/policy/strictyaml"
)

func (r *reading) paths(v value, p *Paths) {
	written := map[string]finding.Position{}
	one := func(to *string, pilot, folder bool) func(value) {
		return func(v value) {
			text, ok := r.repositoryPath(v, folder)
			if !ok || !r.ours(v, text) || !r.pilotPlace(v, text, pilot) {
				return
			}
			*to = text
			written[v.key] = v.At
		}
	}
	patterns := func(to *[]string) func(value) {
		return r.list(to, func(v value) (string, bool) {
			text, ok := r.pattern(v)
			return text, ok && r.pilotPlace(v, text, false)
		})
	}
	r.each(v, []field{
		{"plans", func(v value) {
			if v.Kind == strictyaml.List && len(v.Items) == 0 {
				// No pattern, no request: every plan would pass unseen.
				r.find("PO004", "no_plans", v.At)
				return
			}
			patterns(&p.Plans)(v)
		}},
		{"signoff", one(&p.Signoff, false, false)},
		{"summary", one(&p.Summary, false, false)},
		{"report", one(&p.Report, true, false)},
		{"evidence", one(&p.Evidence, true, true)},
		{"runbook", one(&p.Runbook, false, false)},
		{"registry", one(&p.Registry, false, false)},
		{"pointer", one(&p.Pointer, false, false)},
		{"prometheus", patterns(&p.Prometheus)},
		{"grafana", patterns(&p.Grafana)},
	})
	r.differ([]place{
		{"paths.signoff", p.Signoff},
		{"paths.summary", p.Summary},
		{"paths.report", p.Report},
		{"paths.evidence", p.Evidence},
		{"paths.runbook", p.Runbook},
		{"paths.registry", p.Registry},
		{"paths.pointer", p.Pointer},
	}, written)
}

// place is a path and the key that sets it.
type place struct{ key, path string }

// differ holds that no two keys name one file: the second kind of document
// would never be seen. It is told at the later key that the file writes.
func (r *reading) differ(all []place, written map[string]finding.Position) {
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.path != b.path {
				continue
			}
			key, other := a.key, b.key
			at, ok := written[key]
			if second, both := written[other]; !ok || both && second.Line >= at.Line {
				key, other, at = other, key, second
			}
			r.find("PO004", "same", at, "key", key, "other", other)
		}
	}
}

// ours refuses places that the server must never write to: what decides what
// runs, and what decides what it may do.
func (r *reading) ours(v value, text string) bool {
	lower := strings.ToLower(text)
	for _, folder := range []string{".git/", ".github/"} {
		if strings.HasPrefix(lower, folder) {
			r.find("PO004", "reserved", v.At, "key", v.key, "folder", folder)
			return false
		}
	}
	if strings.ContainsAny(text, "*?[]") {
		r.find("PO004", "no_pattern", v.At, "key", v.key)
		return false
	}
	return true
}

// pilotPlace holds "{pilot}" to the keys that need it, once.
func (r *reading) pilotPlace(v value, text string, wanted bool) bool {
	n := strings.Count(text, pilotPlace)
	switch {
	case wanted && n != 1:
		r.find("PO004", "pilot_once", v.At, "key", v.key, "place", pilotPlace, "count", strconv.Itoa(n))
	case !wanted && n > 0:
		r.find("PO004", "no_pilot", v.At, "key", v.key, "place", pilotPlace)
	default:
		return true
	}
	return false
}
