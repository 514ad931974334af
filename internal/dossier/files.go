package dossier

import (
	"fmt"
	"strings"

	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/finding"
	"github.com/pilotgate/pilotgate/internal/ledger"
	"github.com/pilotgate/pilotgate/internal/policy"
)

// Files reads documents of one commit, outside a pull request.
type Files struct {
	reader
	commit string
	tree   facts.Tree
}

// NewFiles opens a commit's files.
func NewFiles(c *facts.Common, commit string) *Files {
	f := &Files{reader: reader{pull: &facts.PullRequest{Common: *c}}, commit: commit}
	f.tree, _ = f.reader.tree(commit)
	return f
}

// Needs are the facts that are missing for what was asked so far.
func (f *Files) Needs() []facts.Need { return f.needs }

// Tree is the commit's listing.
func (f *Files) Tree() facts.Tree { return f.tree }

// Document reads one path.
func (f *Files) Document(path string) Document {
	doc, _ := f.document(f.tree, path)
	return doc
}

// Policy reads the commit's policy; a broken one comes with findings.
func (f *Files) Policy() (policy.Policy, []finding.Finding) {
	return readPolicy(f.Document(policy.Path))
}

// Ledger reads the sign-off log and every evidence file.
func (f *Files) Ledger(p policy.Policy) ledger.Ledger {
	l := ledger.Ledger{
		RepositoryID: f.pull.Repository.ID, LogPath: p.Paths.Signoff, Evidence: p.Paths.Evidence,
		Records: map[string][]byte{}, Results: map[string][]byte{},
	}
	if doc := f.Document(p.Paths.Signoff); doc.Readable() {
		l.Log = doc.Blob.Bytes
	}
	for path, e := range f.tree.Entries {
		if p.Kind(path) != policy.Evidence {
			continue
		}
		if _, is := ledger.IsResult(p.Paths.Evidence, path); is {
			l.Results[path] = f.Document(path).Blob.Bytes
			continue
		}
		if !strings.HasSuffix(path, ".json") {
			continue
		}
		// A link in the evidence folder is read as the empty record, which
		// verifies as nothing.
		l.Records[path] = nil
		if !e.Regular() {
			continue
		}
		if doc := f.Document(path); doc.Readable() {
			l.Records[path] = doc.Blob.Bytes
		}
	}
	return l
}

// Verified reads the ledger and derives it again, once a snapshot. While files
// of it are missing (Needs), it reports nothing and finds nothing.
func (f *Files) Verified(p policy.Policy) (ledger.Ledger, ledger.Report, []finding.Finding) {
	l, keys := f.Ledger(p), Keys(p)
	if len(f.needs) > 0 {
		return l, ledger.Report{}, nil
	}
	type verified struct {
		report ledger.Report
		broken []finding.Finding
	}
	// The commit says every byte of it, the rest how it is read.
	as := fmt.Sprint(f.commit, " ", p.Paths.Signoff, " ", p.Paths.Evidence, " ", keys)
	v := facts.ReadHere(f.Document(p.Paths.Signoff).Blob, as, func(string, []byte) verified {
		report, broken := ledger.Verify(l, keys)
		return verified{report, broken}
	})
	return l, v.report, v.broken
}
