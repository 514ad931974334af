package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/registry"
)

var (
	base  = "sha256:" + strings.Repeat("a", 64)
	tuned = "sha256:" + strings.Repeat("b", 64)
	third = "sha256:" + strings.Repeat("c", 64)
)

const path = "models/registry.yaml"

func models(t *testing.T, entries ...string) registry.Registry {
	t.Helper()
	r := registry.Parse(path, []byte("models:\n"+strings.Join(entries, "")))
	require.Empty(t, r.Problems)
	return r
}

func entry(name, version, digest, status string) string {
	return fmt.Sprintf("  - {name: %s, version: %s, digest: %q, status: %s}\n", name, version, digest, status)
}

func pointer(t *testing.T, src string) registry.Pointer {
	t.Helper()
	p := registry.ParsePointer("deploy/model_pointer.yaml", []byte(src))
	require.Empty(t, p.Problems)
	return p
}

func target(model, version, digest, previous string) string {
	s := fmt.Sprintf("channel_digest_ru:\n  model: %s\n  version: %s\n  digest: %s\n", model, version, digest)
	if previous != "" {
		s += "  previous: " + previous + "\n"
	}
	return s
}

func TestParseRegistry(t *testing.T) {
	r := registry.Parse(path, []byte(`# the models of this team
models:
  - name: qwen-7b
    version: 1.2.0
    digest: sha256:`+strings.Repeat("a", 64)+`
    config: configs/qwen.yaml
    status: baseline
  - name: qwen-7b-digest
    version: "2026-01"
    digest:
    pilot: ru-digest-2026-01
    status: candidate
`))
	require.Empty(t, r.Problems)
	require.Len(t, r.Entries, 2)
	assert.Equal(t, "qwen-7b@1.2.0", r.Entries[0].ID())
	assert.Equal(t, base, r.Entries[0].Digest)
	assert.Equal(t, registry.Baseline, r.Entries[0].Status)
	assert.Equal(t, finding.Position{Path: path, Line: 3, Column: 5, EndLine: 3, EndColumn: 8}, r.Entries[0].At)
	assert.Equal(t, 7, r.Entries[0].Places["status"].Line)
	assert.True(t, r.Entries[0].Usable())
	assert.Empty(t, r.Entries[1].Digest, "not trained yet")
	assert.False(t, r.Entries[1].Usable())
	assert.Equal(t, r.Entries[0].ID(), registry.Parse(path, []byte("- {name: qwen-7b, version: 1.2.0, status: baseline}")).Entries[0].ID(), "a bare list")
	assert.Empty(t, registry.Parse(path, nil).Entries)
}

func TestFind(t *testing.T) {
	r := models(t, entry("qwen-7b", "1.2.0", base, "baseline"), entry("qwen-7b", "1.3.0", tuned, "released"), entry("llama-8b", "3", third, "retired"))
	for text, want := range map[string]string{
		"qwen-7b@1.2.0": "qwen-7b@1.2.0", "qwen-7b 1.3.0": "qwen-7b@1.3.0", " llama-8b ": "llama-8b@3",
		tuned: "qwen-7b@1.3.0", strings.TrimPrefix(tuned, "sha256:"): "qwen-7b@1.3.0", "qwen-7b@" + base: "qwen-7b@1.2.0",
	} {
		e, ok := r.Find(text)
		require.True(t, ok, text)
		assert.Equal(t, want, e.ID(), text)
	}
	for _, text := range []string{"", "qwen-7b", "qwen-7b@1", "qwen-7b@" + third, "QWEN-7B@1.2.0", "sha256:aa", "qwen 7b 1.2.0"} {
		_, ok := r.Find(text)
		assert.False(t, ok, "%q is none, or two", text)
	}
}

func TestReleaseTag(t *testing.T) {
	for tag, want := range map[string]bool{
		"v1.4.0": true, "v2.0.0": true, "v0.1.0": true, "v1.4.1": false, "1.4.0": false, "v1.4": false, "v1.4.0-rc1": false, "v01.4.0": false, "v1.4.0\n": false, "": false,
	} {
		assert.Equal(t, want, registry.ReleaseTag(tag), "%q", tag)
	}
}

// told lists findings as "RULE case at line".
func told(fs []finding.Finding) []string {
	out := []string{}
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%s %s at %d", f.Rule, f.Case, f.At.Line))
	}
	return out
}

type refused struct{ name, src, want string }

var registryCases = []refused{
	{"a map of models", "models: {qwen: 1}", "RL001 not_a_list at 1"},
	{"text", "qwen", "RL001 not_a_list at 1"},
	{"too many entries", "models:\n" + strings.Repeat("- x\n", 1_001), "RL001 too_many_entries at 1002"},
	{"too large", strings.Repeat("#", 256<<10+1), "RL001 too_large at 1"},
	{"too many values", strings.Repeat("- a\n", 10_001), "RL001 too_many at 10001"},
	{"not UTF-8", "models: \xff", "RL001 not_utf8 at 1"},
	{"a control character", "models: \u202Ex", "RL001 control at 1"},
	{"nested", "models: " + strings.Repeat("[", 13) + strings.Repeat("]", 13), "RL001 nesting at 1"},
	{"not YAML", "models: [a\nb: 1", "RL001 syntax at 2"},
	{"an alias", "models: *x", "RL001 alias at 1"},
	{"a tag", "models: !!seq []", "RL001 tag at 1"},
	{"a directive", "%YAML 1.2\n---\n", "RL001 directive at 1"},
	{"two documents", "models: []\n---\nmodels: []\n", "RL001 documents at 3"},
	{"a key twice", "models: []\nmodels: []\n", "RL001 duplicate_key at 2"},
	{"a strange key", "? models\n: []\n", "RL001 key_shape at 1"},
	{"another key beside", "models: []\nnotes: x\n", "RL002 unknown_key at 2"},
	{"another key in an entry", "models:\n- {name: a, version: 1, status: candidate, digst: x}", "RL002 unknown_key at 2"},
	{"an entry that is text", "models:\n- a", "RL003 not_a_map at 2"},
	{"a name with a space", "models:\n- {name: a b, version: 1, status: candidate}", "RL003 shape at 2"},
	{"a short digest", "models:\n- {name: a, version: 1, status: candidate, digest: \"sha256:ab\"}", "RL003 shape at 2"},
	{"a pilot id with a path", "models:\n- {name: a, version: 1, status: candidate, pilot: ../x}", "RL003 shape at 2"},
	{"a config that climbs out", "models:\n- {name: a, version: 1, status: candidate, config: configs/../../x}", "RL003 shape at 2"},
	{"a list for a version", "models:\n- {name: a, version: [1], status: candidate}", "RL003 shape at 2"},
	{"no version", "models:\n- {name: a, status: candidate}", "RL003 missing at 2"},
	{"another status", "models:\n- {name: a, version: 1, status: live}", "RL003 status at 2"},
	{"released without a digest", "models:\n- {name: a, version: 1, status: released}", "RL003 no_digest at 2"},
	{"a version twice", "models:\n- {name: a, version: 1, status: candidate}\n- {name: a, version: 1, status: rejected}", "RL003 duplicate at 3"},
	{"a digest twice", "models:\n" + entry("a", "1", base, "baseline") + entry("b", "1", base, "baseline"), "RL003 same_digest at 3"},
}

var pointerCases = []refused{
	{"a list", "- a", "RL001 not_a_map at 1"},
	{"too many scenarios", manyScenarios(1_001), "RL001 too_many_entries at 1001"},
	{"a scenario with a slash at its start", "/x: {}", "RL005 shape at 1"},
	{"text for a scenario", "digest: qwen", "RL005 not_a_map at 1"},
	{"no digest", "digest:\n  model: a\n  version: 1\n", "RL005 missing at 1"},
	{"previous without a version", target("a", "1", base, "qwen"), "RL005 shape at 5"},
	{"another key", target("a", "1", base, "") + "  since: 2026\n", "RL002 unknown_key at 5"},
}

func manyScenarios(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "s%d: {model: a, version: 1, digest: %q}\n", i, base)
	}
	return b.String()
}

func TestRefusedRegistries(t *testing.T) {
	for _, c := range registryCases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, told(registry.Parse(path, []byte(c.src)).Problems))
		})
	}
	assert.Empty(t, registry.ParsePointer(path, []byte(manyScenarios(1_000))).Problems, "as many as allowed")
}

func TestRefusedPointers(t *testing.T) {
	for _, c := range pointerCases {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, []string{c.want}, told(registry.ParsePointer(path, []byte(c.src)).Problems))
		})
	}
}

type change struct {
	name          string
	before, after []string
	on            registry.Evidence
	want          []string
}

var goFor = func(digests ...string) registry.Evidence {
	e := registry.Evidence{Go: map[string]bool{}, Releases: map[string]string{}, Tagged: map[string]bool{"v1.4.0": true}}
	for _, d := range digests {
		e.Go[d] = true
		e.Releases[d] = "v1.4.0"
	}
	return e
}

var registryChanges = []change{
	{"nothing", []string{entry("a", "1", base, "baseline")}, []string{entry("a", "1", base, "baseline")}, goFor(), []string{}},
	{"a first registry tells what there was", nil, []string{entry("a", "1", base, "released")}, goFor(), []string{}},
	{"a new candidate", []string{entry("a", "1", base, "baseline")}, []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "candidate")}, goFor(), []string{}},
	{"a candidate gets its digest", []string{"  - {name: b, version: 1, status: candidate}\n"}, []string{entry("b", "1", tuned, "candidate")}, goFor(), []string{}},
	{"released with a Go", []string{entry("b", "1", tuned, "candidate")}, []string{entry("b", "1", tuned, "released")}, goFor(tuned), []string{}},
	{"released without a Go", []string{entry("b", "1", tuned, "candidate")}, []string{entry("b", "1", tuned, "released")}, goFor(base), []string{"RL004 no_go at 2"}},
	{"a new entry that says released", []string{entry("a", "1", base, "baseline")}, []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "released")}, goFor(), []string{"RL004 no_go at 3"}},
	{"removed", []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "rejected")}, []string{entry("a", "1", base, "baseline")}, goFor(), []string{"RL004 removed at 1"}},
	{"other weights under the same version", []string{entry("a", "1", base, "baseline")}, []string{entry("a", "1", tuned, "baseline")}, goFor(), []string{"RL004 digest_changed at 2"}},
	{"a rejected model comes back", []string{entry("b", "1", tuned, "rejected")}, []string{entry("b", "1", tuned, "candidate")}, goFor(tuned), []string{"RL004 revived at 2"}},
	{
		"another pilot takes the model",
		[]string{"  - {name: b, version: 1, pilot: one, status: candidate}\n"},
		[]string{"  - {name: b, version: 1, pilot: two, status: candidate}\n"},
		goFor(),
		[]string{"RL004 pilot_changed at 2"},
	},
}

func TestCheckRegistry(t *testing.T) {
	for _, c := range registryChanges {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, told(registry.CheckRegistry(models(t, c.before...), models(t, c.after...), c.on)))
		})
	}
}

type standing struct {
	name, pointer string
	models        []string
	want          []string
}

var pointerStandings = []standing{
	{"in order", target("b", "1", tuned, "a@1"), []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "released")}, []string{}},
	{"the first model has no previous", target("a", "1", base, ""), []string{entry("a", "1", base, "baseline")}, []string{}},
	{"previous by digest", target("b", "1", tuned, base), []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "released")}, []string{}},
	{"an unknown model", target("x", "1", tuned, "a@1"), []string{entry("a", "1", base, "baseline")}, []string{"RL006 unknown at 2"}},
	{"another digest", target("a", "1", tuned, ""), []string{entry("a", "1", base, "baseline")}, []string{"RL006 digest at 4"}},
	{"a rejected model", target("a", "1", base, ""), []string{entry("a", "1", base, "rejected")}, []string{"RL006 not_usable at 2"}},
	{"an unknown previous", target("a", "1", base, "x@1"), []string{entry("a", "1", base, "baseline")}, []string{"RL006 previous_unknown at 5"}},
	{"itself as previous", target("a", "1", base, "a@1"), []string{entry("a", "1", base, "baseline")}, []string{"RL006 previous_same at 5"}},
	{"a rejected previous", target("a", "1", base, "b@1"), []string{entry("a", "1", base, "baseline"), entry("b", "1", tuned, "rejected")}, []string{"RL006 previous_not_usable at 5"}},
	{"a previous without a digest", target("a", "1", base, "b@1"), []string{entry("a", "1", base, "baseline"), "  - {name: b, version: 1, status: baseline}\n"}, []string{"RL006 previous_not_usable at 5"}},
}

func TestCheckPointer(t *testing.T) {
	for _, c := range pointerStandings {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, told(registry.CheckPointer(pointer(t, c.pointer), models(t, c.models...))))
		})
	}
}

type move struct {
	name, before, after string
	status              string // of b, the tuned model
	on                  registry.Evidence
	want                []string
}

var moves = []move{
	{"nothing", target("a", "1", base, ""), target("a", "1", base, ""), "released", goFor(), []string{}},
	{"forward", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", goFor(tuned), []string{}},
	{"forward without a Go", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Releases: map[string]string{tuned: "v1.4.0"}, Tagged: map[string]bool{"v1.4.0": true}}, []string{"RL007 no_go at 4"}},
	{"a Go for another digest", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Go: map[string]bool{third: true}, Releases: map[string]string{tuned: "v1.4.0"}, Tagged: map[string]bool{"v1.4.0": true}}, []string{"RL007 no_go at 4"}},
	{"forward without a release", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Go: map[string]bool{tuned: true}}, []string{"RL007 no_release at 3"}},
	{"forward with a patch", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Go: map[string]bool{tuned: true}, Releases: map[string]string{tuned: "v1.4.1"}}, []string{"RL007 patch_release at 3"}},
	{"forward before the tag is there", target("a", "1", base, ""), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Go: map[string]bool{tuned: true}, Releases: map[string]string{tuned: "v1.4.0"}}, []string{"RL007 not_tagged at 3"}},
	{"forward with no way back", target("a", "1", base, ""), target("b", "1", tuned, ""), "released", goFor(tuned), []string{"RL007 no_previous at 1"}},
	{"forward past the model that runs", target("a", "1", base, ""), target("b", "1", tuned, "c@1"), "released", goFor(tuned), []string{"RL007 other_previous at 5"}},
	{"a new scenario", "", target("b", "1", tuned, ""), "released", goFor(tuned), []string{}},
	{"a scenario removed", target("a", "1", base, ""), "", "released", goFor(), []string{"RL007 removed at 1"}},
	{"back to the baseline needs no release", target("b", "1", tuned, "a@1"), target("a", "1", base, ""), "released", goFor(), []string{}},
	{"back to a released model with its Go", target("a", "1", base, "b@1"), target("b", "1", tuned, "a@1"), "released", registry.Evidence{Go: map[string]bool{tuned: true}}, []string{}},
	{"back to a model whose Go was taken back", target("a", "1", base, "b@1"), target("b", "1", tuned, "a@1"), "released", goFor(), []string{"RL007 no_go at 4"}},
	{"back to a rejected model", target("a", "1", base, "b@1"), target("b", "1", tuned, "a@1"), "rejected", goFor(tuned), []string{"RL007 back_not_usable at 2"}},
	{"the previous model with other weights is no way back", target("b", "1", tuned, "a@1"), target("a", "1", third, "b@1"), "released", goFor(), []string{"RL007 no_release at 3", "RL007 no_go at 4"}},
	{"to an older model that is not the previous one", target("b", "1", tuned, "c@1"), target("a", "1", base, "b@1"), "released", goFor(), []string{"RL007 no_release at 3", "RL007 no_go at 4"}},
}

func TestCheckMoves(t *testing.T) {
	for _, c := range moves {
		t.Run(c.name, func(t *testing.T) {
			all := models(t, entry("a", "1", base, "baseline"), entry("b", "1", tuned, c.status), entry("c", "1", third, "baseline"))
			assert.Equal(t, c.want, told(registry.CheckMoves(pointer(t, c.before), pointer(t, c.after), all, c.on)))
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range append(registryCases, pointerCases...) {
		if len(c.src) < 1_000 {
			f.Add([]byte(c.src))
		}
	}
	f.Add([]byte(target("a", "1", base, "b@1")))
	f.Fuzz(func(t *testing.T, src []byte) {
		r := registry.Parse(path, src)
		for _, e := range r.Entries {
			if found, ok := r.Find(e.ID()); !ok || found.ID() != e.ID() {
				t.Fatalf("%s cannot be found", e.ID())
			}
		}
		p := registry.ParsePointer(path, src)
		registry.CheckPointer(p, r)
		if len(registry.Moves(p, p)) > 0 {
			t.Fatal("a pointer differs from itself")
		}
	})
}
