package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/dossier"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/rules"
)

// inBucket is the sample with one of its datasets at an address; the base branch
// allows s3://acme alone. It answers what was asked for and what DS060 found.
func inBucket(t *testing.T, field, uri string, answer facts.Scan) (asked, cases []string) {
	t.Helper()
	c := readCase(t, []byte("A dataset in a bucket.\n-- base/.github/pilotgate.yml --\nversion: 1\ndatasets: {buckets: [\"s3://acme\"]}\n"+
		"-- edit/plan --\n< - "+field+":…\n> - "+field+": `"+uri+"` (sha256 `"+strings.Repeat("ab", 32)+"`, 12 records)\n"))
	p := c.pull()
	for {
		d, needs := dossier.Open(&p)
		if len(needs) == 0 {
			for _, check := range rules.Run(&d) {
				for _, f := range check.Findings {
					if f.Rule == "DS060" {
						cases = append(cases, f.Case)
					}
				}
			}
			return asked, cases
		}
		for _, n := range needs {
			if n.Kind == facts.NeedScan {
				for s := n.Scan; s != nil; s = s.Evaluation {
					asked = append(asked, s.URI)
				}
				if n.Scan.URI != "" {
					p.Scans[n.Key()] = answer
					continue
				}
				one := *n.Scan
				one.Evaluation = nil
				alone := facts.Need{Kind: facts.NeedScan, Scan: &one}
				c.answer(t, &p, alone)
				p.Scans[n.Key()] = p.Scans[alone.Key()]
				continue
			}
			c.answer(t, &p, n)
		}
	}
}

func TestWhatAStoreSaysIsAFinding(t *testing.T) {
	for kase, answer := range map[string]facts.Scan{
		"no_store":         {Refused: facts.RefusedNoStore},
		"store_refuses":    {Refused: facts.RefusedByStore},
		"address":          {Refused: facts.RefusedAddress},
		"lfs_differs":      {Refused: facts.RefusedDiffers},
		"changed":          {Refused: facts.RefusedChanged},
		"record_schema":    {Refused: facts.RefusedSchema},
		"object_too_large": {TooLarge: true},
		"unreachable":      {Absent: true},
	} {
		t.Run(kase, func(t *testing.T) {
			asked, cases := inBucket(t, "Dataset", "s3://acme/a.jsonl", answer)
			assert.Contains(t, asked, "s3://acme/a.jsonl")
			assert.Equal(t, []string{kase}, cases)
		})
	}
}

func TestOnlyBucketsOfTheBaseBranchAreAskedFor(t *testing.T) {
	for _, field := range []string{"Dataset", "Evaluation dataset"} {
		for _, uri := range []string{
			"s3://other/a.jsonl", "s3://acme/../other/a.jsonl", "s3://acme/a.jsonl?endpoint=http://169.254.169.254",
			"http://169.254.169.254/latest/a.jsonl", "file:///etc/a.jsonl", "gs://acme/a.jsonl",
		} {
			t.Run(field+" "+strings.ReplaceAll(uri, "/", "_"), func(t *testing.T) {
				asked, cases := inBucket(t, field, uri, facts.Scan{})
				require.NotEmpty(t, asked, "the other dataset is asked for")
				assert.NotContains(t, asked, uri)
				require.Len(t, cases, 1)
				assert.Contains(t, []string{"refused", "missing"}, cases[0]) // missing: not even read as an address
			})
		}
	}
}
