package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/pilotgate/pilotgate/internal/plan"
)

func TestRaise(t *testing.T) {
	for name, x := range map[string]struct {
		src, want string
		n         int
	}{
		"front matter with a revision": {"---\npilot: a\nrevision: 3\n---\n# A\n- Initiator: @dana\n", "---\npilot: a\nrevision: 4\n---\n# A\n- Initiator: @dana\n", 4},
		"a line of the text":           {"# A\n- Initiator: @dana\n- Revision: 9\n", "# A\n- Initiator: @dana\n- Revision: 10\n", 10},
		"front matter without one":     {"---\npilot: a\n---\n- Initiator: @dana\n", "---\nrevision: 2\npilot: a\n---\n- Initiator: @dana\n", 2},
		"no front matter":              {"# A\n- Initiator: @dana\n", "---\nrevision: 2\n---\n\n# A\n- Initiator: @dana\n", 2},
		"nobody named":                 {"# A\n", "---\nrevision: 2\ninitiator: \"@dana\"\n---\n\n# A\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, n := plan.Raise(plan.Parse("a.md", []byte(x.src)), []byte(x.src), "dana")
			assert.Equal(t, x.want, string(got))
			assert.Equal(t, x.n, n)
			again := plan.Parse("a.md", got)
			v, ok := again.Get(plan.Revision)
			assert.True(t, ok)
			assert.NotEqual(t, plan.Parse("a.md", []byte(x.src)).Facts(), again.Facts(), "another revision is another plan: %s", v.Text)
			who, _ := again.Get(plan.Initiator)
			assert.Contains(t, who.Text, "dana")
		})
	}
}
