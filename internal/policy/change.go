package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Change is one value that differs between two versions of a file: the key as
// people write it, and both values as text. From is "" where the key is new,
// To where it is gone.
type Change struct {
	Key  string
	From string
	To   string
}

// Difference lists what changes between two policies, by key. Defaults are
// compared as values: writing a default out changes nothing.
func Difference(before, after Policy) []Change {
	return differing(flat(before), flat(after))
}

// Difference lists what changes between two role files: an entry for each
// pattern of each role, named "role · pattern".
func (r Roles) Difference(after Roles) []Change {
	return differing(r.flat(), after.flat())
}

func differing(before, after map[string]string) []Change {
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	var out []Change
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if before[key] != after[key] {
			out = append(out, Change{Key: key, From: before[key], To: after[key]})
		}
	}
	return out
}

// flat writes a policy as keys and texts. It goes by the JSON form, so that a
// new key of Policy cannot be forgotten here.
func flat(p Policy) map[string]string {
	raw, err := json.Marshal(p)
	if err != nil { // plain data
		panic(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		panic(err)
	}
	out := map[string]string{}
	flatten("", tree, out)
	return out
}

func flatten(key string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if key != "" {
				k = key + "." + k
			}
			flatten(k, x, out)
		}
	case []any:
		flattenList(key, v, out)
	default:
		out[key] = strings.TrimSuffix(fmt.Sprint(v), "T00:00:00Z") // dates are days
	}
}

// flattenList names the maps of a list by what identifies them, and writes a
// list of texts as one value.
func flattenList(key string, list []any, out map[string]string) {
	var texts []string
	for _, x := range list {
		m, ok := x.(map[string]any)
		if !ok {
			texts = append(texts, fmt.Sprint(x))
			continue
		}
		name := m["id"]
		if name == nil {
			name = strings.TrimSpace(fmt.Sprint(m["rule"], " ", short(fmt.Sprint(m["file_sha256"])), " line ", m["line"], " ", text(m["pointer"])))
		}
		flatten(fmt.Sprintf("%s[%v]", key, name), m, out)
	}
	if len(texts) > 0 {
		out[key] = strings.Join(texts, ", ")
	}
}

func short(hash string) string { return hash[:min(len(hash), 12)] }

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return ""
}

// flat keeps the order of the lines: moving a line can change who decides.
func (r Roles) flat() map[string]string {
	out := map[string]string{}
	for _, s := range r.Sections {
		seen := map[string]int{}
		var order []string
		for _, l := range s.Lines {
			key := s.Role + " · " + l.Pattern
			if seen[l.Pattern]++; seen[l.Pattern] > 1 {
				key = fmt.Sprintf("%s (%d)", key, seen[l.Pattern])
			}
			names := make([]string, len(l.Owners))
			for i, o := range l.Owners {
				names[i] = o.String()
			}
			out[key] = "nobody"
			if len(names) > 0 {
				out[key] = strings.Join(names, ", ")
			}
			order = append(order, l.Pattern)
		}
		if len(order) > 1 {
			out[s.Role+" · order"] = strings.Join(order, ", ")
		}
	}
	return out
}
