package registry_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/registry"
)

func TestPutEntry(t *testing.T) {
	const file = "# our models\nmodels:\n  - name: a   # the old one\n    version: \"1\"\n    digest: sha256:%A%\n    status: baseline\n  - name: b\n    version: 2.0\n    status: candidate # since spring\n"
	src := strings.ReplaceAll(file, "%A%", strings.Repeat("a", 64))
	new := registry.Entry{Name: "c", Version: "1.0", Digest: third, Config: "configs/c.yaml", Pilot: "p-1", Status: registry.Candidate}
	const written = "  - name: c\n    version: \"1.0\"\n    digest: sha256:%C%\n    config: configs/c.yaml\n    pilot: p-1\n    status: candidate\n"
	added := strings.ReplaceAll(written, "%C%", strings.Repeat("c", 64))
	for _, c := range []struct {
		name, src string
		entry     registry.Entry
		want      string
	}{
		{"a new one", src, new, src + added},
		{"without a last line end", strings.TrimSuffix(src, "\n"), new, src + added},
		{"into nothing", "", new, "models:\n" + added},
		{"another status", src, registry.Entry{Name: "b", Version: "2.0", Status: registry.Rejected}, strings.Replace(src, "status: candidate #", "status: rejected #", 1)},
		{
			"another status and the first digest", src,
			registry.Entry{Name: "b", Version: "2.0", Digest: tuned, Status: registry.Released},
			strings.Replace(strings.Replace(src, "status: candidate #", "status: released #", 1), "version: 2.0\n", "version: 2.0\n    digest: "+tuned+"\n", 1),
		},
		{"as it is", src, registry.Entry{Name: "b", Version: "2.0", Status: registry.Candidate}, src},
		{"line ends of Windows", strings.ReplaceAll(src, "\n", "\r\n"), new, strings.ReplaceAll(src+added, "\n", "\r\n")},
		{"a bare list", "- name: a\n  version: \"1\"\n  status: baseline\n", new, "- name: a\n  version: \"1\"\n  status: baseline\n" + strings.ReplaceAll(strings.ReplaceAll(added, "\n  ", "\n"), "  - ", "- ")},
		{"on one line", "models:\n  - {name: b, version: 2.0, status: candidate}\n", registry.Entry{Name: "b", Version: "2.0", Status: registry.Rejected}, "models:\n  - {name: b, version: 2.0, status: rejected}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := registry.PutEntry(path, []byte(c.src), c.entry)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
			again, err := registry.PutEntry(path, got, c.entry)
			require.NoError(t, err)
			assert.Equal(t, string(got), string(again), "twice is once")
		})
	}
	for name, src := range map[string]string{
		"unreadable":               "models: [",
		"another key at the end":   "models:\n  - name: a\n    version: \"1\"\n    status: baseline\nnotes: ours\n",
		"a list in brackets":       "models: [{name: a, version: \"1\", status: baseline}]\n",
		"a second model of a name": "models:\n  - name: a\n    version: \"1\"\n    status: baseline\n  - name: a\n    version: \"1\"\n    status: baseline\n",
	} {
		_, err := registry.PutEntry(path, []byte(src), new)
		assert.ErrorIs(t, err, registry.ErrForm, name)
	}
}

func TestPutEntryKeepsAnothersName(t *testing.T) {
	src := "models:\n  - name: a\n    version: \"1\"\n    digest: " + base + "\n    status: baseline\n"
	_, err := registry.PutEntry(path, []byte(src), registry.Entry{Name: "a", Version: "1", Digest: tuned, Status: registry.Rejected})
	assert.ErrorIs(t, err, registry.ErrTaken)
}

func TestPutTarget(t *testing.T) {
	const where = "deploy/model_pointer.yaml"
	to := registry.Target{Model: "b", Version: "2", Digest: tuned, Previous: "a@1"}
	want := "channel_digest_ru:\n  model: b\n  version: \"2\"\n  digest: " + tuned + "\n  previous: a@1\n"
	other := "review_summary_ru: {model: r, version: 1, digest: " + third + "}\n"
	for _, c := range []struct{ name, src, want string }{
		{"another model", "# what runs\n" + target("a", "1", base, "z@0") + other, "# what runs\n" + want + other},
		{"the first previous", target("a", "1", base, "") + other, want + other},
		{"the first target", "", want},
		{"a new scenario", other, other + want},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := registry.PutTarget(where, []byte(c.src), "channel_digest_ru", to)
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got))
			again, err := registry.PutTarget(where, got, "channel_digest_ru", to)
			require.NoError(t, err)
			assert.Equal(t, string(got), string(again), "twice is once")
		})
	}
	got, err := registry.PutTarget(where, []byte(want), "channel_digest_ru", registry.Target{Model: "a", Version: "1", Digest: base})
	require.NoError(t, err)
	assert.Equal(t, "channel_digest_ru:\n  model: a\n  version: \"1\"\n  digest: "+base+"\n", string(got), "nothing to fall back to")
	for name, src := range map[string]string{
		"unreadable":           "a: [",
		"folded over lines":    "channel_digest_ru:\n  model: >\n    a\n  version: 1\n  digest: " + base + "\n",
		"no place for a line":  "channel_digest_ru: {model: a, version: 1, digest: " + base + "}\n",
		"a map that is closed": "{review_summary_ru: {model: r, version: 1, digest: " + third + "}}\n",
	} {
		_, err := registry.PutTarget(where, []byte(src), "channel_digest_ru", to)
		assert.ErrorIs(t, err, registry.ErrForm, name)
	}
}

func FuzzPut(f *testing.F) {
	f.Add("models:\n  - name: a\n    version: \"1\"\n    status: baseline\n")
	f.Add("- {name: a, version: 1, status: candidate}\n")
	f.Add("channel_digest_ru:\n  model: a\n  version: 1\n  digest: " + base + "\n")
	f.Fuzz(func(t *testing.T, src string) {
		e := registry.Entry{Name: "a", Version: "1", Digest: tuned, Status: registry.Rejected}
		if out, err := registry.PutEntry(path, []byte(src), e); err == nil {
			got, ok := registry.Parse(path, out).Find("a@1")
			require.True(t, ok)
			assert.Equal(t, registry.Rejected, got.Status)
		}
		to := registry.Target{Model: "b", Version: "2", Digest: tuned, Previous: "a@1"}
		if out, err := registry.PutTarget(path, []byte(src), "channel_digest_ru", to); err == nil {
			got := registry.ParsePointer(path, out).Targets["channel_digest_ru"]
			assert.Equal(t, "b@2 "+tuned+" a@1", got.ID()+" "+got.Digest+" "+got.Previous)
		}
	})
}
