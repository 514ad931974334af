package dossier

import "github.com/pilotgate/pilotgate/internal/policy"

// Reported are the results of a pilot that people bring by a pull request: the
// three files that a launched run leaves in its artifact.
type Reported struct {
	Pilot                         string
	Manifest, Baseline, Candidate Document
}

// Files are the three, in the order in which they are read.
func (r Reported) Files() []Document { return []Document{r.Manifest, r.Baseline, r.Candidate} }

// Any tells whether one of them is there.
func (r Reported) Any() bool { return r.Manifest.Found || r.Baseline.Found || r.Candidate.Found }

// Unreadable is the first of them that is not there, no plain file, or too large.
func (r Reported) Unreadable() (file Document, is bool) {
	for _, f := range r.Files() {
		if !f.Readable() {
			return f, true
		}
	}
	return Document{}, false
}

// Reported reads the results that people brought of a pilot. The id must be valid.
func (f *Files) Reported(p policy.Policy, pilot string) Reported {
	r := Reported{Pilot: pilot}
	for part, into := range map[string]*Document{
		policy.ReportedManifest: &r.Manifest, policy.ReportedBaseline: &r.Baseline, policy.ReportedCandidate: &r.Candidate,
	} {
		*into = f.Document(p.ReportedPath(pilot, part))
	}
	return r
}
