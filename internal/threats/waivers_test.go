package threats

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/cli/sample"
	"github.com/pilotgate/pilotgate/internal/fakegithub"
)

// TestAPlansWaiverIsBothRoles: what a plan waives itself is shown to whoever
// approves it, counts only with both of them, and stands in the log.
func TestAPlansWaiverIsBothRoles(t *testing.T) {
	on(t, "with a phone number on line 3", func(t *testing.T, s *stage) {
		in, line := withPhone(t, files(s.Story.Pilot())), 3
		pr := s.request(in)
		require.Equal(t, "failure", s.check(pr, "pilot/dataset"))
		s.finds(pr, "pilot/dataset", "PII101")

		const waiver = "- PII101, line 3, /source_text, owner @irina-ml, reason: a public hotline, expires 2099-12-31\n"
		in[sample.Plan] = fakegithub.Text(strings.Replace(string(in[sample.Plan].Data), "## Run notes", "## Waivers\n\n"+waiver+"\n## Run notes", 1))
		s.push(sample.Initiator, pr.View().HeadRef, in)
		s.settle()
		require.Equal(t, "success", s.check(pr, "pilot/dataset"))
		check, _ := s.Repo.Check(pr.View().Head, "pilot/dataset")
		for _, a := range check.Annotations {
			if strings.HasPrefix(a.Title, "PII101") {
				assert.Equal(t, "warning", a.Level)
				assert.Equal(t, line, a.StartLine)
				assert.Contains(t, a.Message, "`@irina-ml` answers until 2099-12-31")
			}
		}
		s.approve(pr, sample.MLLead)
		require.Equal(t, "in_progress", s.check(pr, "pilot/approvals"), "one role alone waives nothing")
		s.approve(pr, sample.Operations)
		require.Equal(t, "success", s.check(pr, "pilot/approvals"))
		s.merge(pr)
		require.Len(t, s.rows(), 2)
		log := s.file("main", sample.Signoff)
		assert.Equal(t, 2, strings.Count(log, "note: the plan waives PII101 on line 3, &#64;&#8288;irina-ml answers until 2099-12-31"), log)
	})
	on(t, "taken into the plan after the approvals", func(t *testing.T, s *stage) {
		pr := s.approved()
		in := files(s.Story.Pilot())
		in[sample.Plan] = fakegithub.Text(strings.Replace(string(in[sample.Plan].Data), "## Run notes", "## Waivers\n\n- PII101, line 3, owner @irina-ml, reason: later, expires 2099-12-31\n\n## Run notes", 1))
		s.push(sample.Initiator, pr.View().HeadRef, in)
		s.settle()
		assert.Equal(t, "in_progress", s.check(pr, "pilot/approvals"))
	})
}

// withPhone puts a phone number into the third record, the dataset's length and
// everything that names its hash kept in step.
func withPhone(t *testing.T, in map[string]fakegithub.File) map[string]fakegithub.File {
	t.Helper()
	sum := func(b []byte) []byte { s := sha256.Sum256(b); return []byte(hex.EncodeToString(s[:])) }
	old := in[sample.Dataset].Data
	lines := bytes.SplitAfter(old, []byte("\n"))
	mark := []byte(`"source_text":"`)
	at := bytes.Index(lines[2], mark) + len(mark)
	text := []byte("Тел. +7 (912) 345-67-89. ")
	end := at + len(text)
	for lines[2][end]&0xC0 == 0x80 { // not within a letter
		end++
	}
	third := bytes.Join([][]byte{lines[2][:at], text, bytes.Repeat([]byte(" "), end-at-len(text)), lines[2][end:]}, nil)
	data := bytes.Join([][]byte{bytes.Join(lines[:2], nil), third, bytes.Join(lines[3:], nil)}, nil)
	require.Len(t, data, len(old))
	out := map[string]fakegithub.File{}
	for path, f := range in {
		f.Data = bytes.ReplaceAll(f.Data, sum(old), sum(data))
		out[path] = f
	}
	f := in[sample.Dataset]
	f.Data = data
	out[sample.Dataset] = f
	return out
}
