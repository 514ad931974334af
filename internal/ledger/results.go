package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Results are the compact samples that an evaluation rests on: files in the
// folder "results" beside the pilot's records. They are not signed themselves;
// an evaluation record names each as a subject, by path and sha256. A file that
// none names, two name, or that has other bytes is a finding, like a record that
// does not verify.

// MaxResults bounds the sample files of one ledger.
const MaxResults = 5_000

const resultsFolder = "results"

// ResultsPath is the folder of a pilot's sample files, with its final slash.
func ResultsPath(evidence, pilot string) string {
	return path.Dir(Record{Predicate: Predicate{Pilot: pilot}}.Path(evidence)) + "/" + resultsFolder + "/"
}

// IsResult tells whether a path under the evidence folders lies in a folder of
// results, and whose.
func IsResult(evidence, p string) (pilot string, ok bool) {
	before, after, has := strings.Cut(evidence, "{pilot}")
	if !has {
		before, after = strings.TrimSuffix(evidence, "/")+"/", "/"
	}
	rest, ok := strings.CutPrefix(p, before)
	if !ok {
		return "", false
	}
	after = strings.TrimSuffix(after, "/") + "/" + resultsFolder + "/"
	pilot, name, _ := strings.Cut(rest, after)
	return pilot, pilot != "" && name != "" && !strings.Contains(pilot, "/")
}

// AppendWithResults is Append for an evaluation record, with the sample files
// that it names as subjects, by path.
func AppendWithResults(l Ledger, r Record, results map[string][]byte, s Signer, keys []Key) (Addition, error) {
	for p := range results {
		if _, there := l.Results[p]; there {
			return Addition{}, fmt.Errorf("append %s: %w", p, ErrExists)
		}
	}
	return appendTo(l, r, results, s, keys)
}

// results holds the sample files against the sound records.
func (v *verification) results() {
	l := v.ledger
	named := map[string][]*file{}
	for _, f := range v.files {
		if len(f.broken) > 0 || f.record.Kind != KindEvaluation {
			continue
		}
		for _, s := range f.record.Subjects {
			pilot, ok := IsResult(l.Evidence, s.URI)
			switch _, there := l.Results[s.URI]; {
			case !ok: // a plan, say, or a model: it lies elsewhere
			case pilot != f.record.Pilot:
				v.add(broken("SG014", "foreign", f.path, 1, "record", f.path, "file", s.URI))
			case !there:
				v.add(broken("SG014", "missing", f.path, 1, "record", f.path, "file", s.URI))
			case s.SHA256 != sha256Hex(l.Results[s.URI]):
				v.add(broken("SG014", "differs", s.URI, 1, "record", f.path, "file", s.URI))
			}
			named[s.URI] = append(named[s.URI], f)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(l.Results)) {
		switch by := named[p]; {
		case len(by) == 0:
			v.add(broken("SG014", "stranger", p, 1, "file", p))
		case len(by) > 1:
			v.add(broken("SG014", "twice", p, 1, "file", p, "first", by[0].path, "second", by[1].path))
		}
	}
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
