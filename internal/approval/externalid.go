package approval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// ExternalID is what a check run of ours carries in its external_id: which
// pull request and digest it speaks of, and since when the evidence is
// complete. A check run belongs to a commit, so two pull requests with the
// same head would otherwise share their runs.
type ExternalID struct {
	Number   int
	Base     string
	Digest   string    // full hex; "" where nothing is governed
	Evidence time.Time // zero: not complete
}

const externalIDVersion = "v1"

// String is "v1;pr=42;digest=<64 hex>;evidence=<unix seconds or 0>;base=main".
// The base ref stands last since it may hold any character but a space.
func (e ExternalID) String() string {
	at := int64(0)
	if !e.Evidence.IsZero() {
		at = e.Evidence.Unix()
	}
	return fmt.Sprintf("%s;pr=%d;digest=%s;evidence=%d;base=%s", externalIDVersion, e.Number, e.Digest, at, e.Base)
}

// ParseExternalID reads it back; ok is false for anything else.
func ParseExternalID(s string) (ExternalID, bool) {
	parts := strings.SplitN(s, ";", 5)
	if len(parts) != 5 || parts[0] != externalIDVersion {
		return ExternalID{}, false
	}
	var e ExternalID
	pr, ok1 := strings.CutPrefix(parts[1], "pr=")
	digest, ok2 := strings.CutPrefix(parts[2], "digest=")
	at, ok3 := strings.CutPrefix(parts[3], "evidence=")
	base, ok4 := strings.CutPrefix(parts[4], "base=")
	n, err := strconv.Atoi(pr)
	unix, err2 := strconv.ParseInt(at, 10, 64)
	if !ok1 || !ok2 || !ok3 || !ok4 || err != nil || err2 != nil || digest != "" && (len(digest) != 64 || !isHex(digest)) {
		return ExternalID{}, false
	}
	e = ExternalID{Number: n, Base: base, Digest: digest}
	if unix > 0 {
		e.Evidence = time.Unix(unix, 0).UTC()
	}
	return e, true
}

// Published are the digests that a request's own check runs stood for.
func Published(p *facts.PullRequest) []string {
	var out []string
	for _, r := range p.Runs {
		if id, ours := ParseExternalID(r.ExternalID); ours && id.Number == p.Number && id.Digest != "" && !slices.Contains(out, id.Digest) {
			out = append(out, id.Digest)
		}
	}
	return out
}
