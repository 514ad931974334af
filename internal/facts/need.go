package facts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dataset"
)

// Subject is what a look is about. The queue carries it; nothing else of a
// webhook is believed.
type Subject struct {
	Installation, Repository int64
	Kind                     string // see the Kind constants
	ID                       string // number, pilot id, or "" for a repository
}

// The kinds of subject. Each effect at GitHub belongs to exactly one of them.
const (
	KindPullRequest = "pr"
	KindPilot       = "pilot"
	KindRepository  = "repo"
	KindMergeGroup  = "group"
)

// NeedKind says what is missing.
type NeedKind string

// The needs. Each is answered for good within one look.
const (
	NeedTree      NeedKind = "tree"       // Commit: its recursive listing
	NeedBlob      NeedKind = "blob"       // OID: a document's bytes, at most MaxBlob
	NeedMergeBase NeedKind = "merge_base" // Commit and Base: their merge base
	NeedReach     NeedKind = "reach"      // Commit reachable from Base?
	NeedMade      NeedKind = "made"       // Commit: when it was made
	NeedTeam      NeedKind = "team"       // Team "org/slug": its people
	NeedPushers   NeedKind = "pushers"    // who pushed to Branch of Repo ("owner/name")
	NeedBranch    NeedKind = "branch"     // what we may do on Branch
	NeedTag       NeedKind = "tag"        // is there a tag Tag?
	NeedScan      NeedKind = "scan"       // Scan: a dataset's facts
	NeedAccess    NeedKind = "access"     // what Login may do in the repository
	NeedRuns      NeedKind = "runs"       // Path: the runs of a workflow file; Title: those of our App with this word in theirs
	NeedRun       NeedKind = "run"        // ID and Attempt (0: the latest): one run
	NeedWaiting   NeedKind = "waiting"    // the runs that wait for an environment
	NeedPending   NeedKind = "pending"    // ID: the environments that a run waits for
	NeedArtifacts NeedKind = "artifacts"  // ID: a run's artifacts
	NeedArtifact  NeedKind = "artifact"   // ID: an artifact's content
	NeedClaim     NeedKind = "claim"      // Ref: a claim of ours
	NeedBrought   NeedKind = "brought"    // which merged request brought Path
	NeedOpened    NeedKind = "opened"     // our App's newest request from Branch
	NeedPull      NeedKind = "pull"       // ID: a pull request, whole
	NeedIssues    NeedKind = "issues"     // the issues that our App opened
	NeedTags      NeedKind = "tags"       // the names of the repository's tags, one page
	NeedRelease   NeedKind = "release"    // the release of Tag
	NeedReports   NeedKind = "reports"    // ID: the statuses of a deployment
	NeedDeployed  NeedKind = "deployed"   // our deployments to Environment
	NeedGuard     NeedKind = "guard"      // Environment: do we decide on it?
)

// Need is one absent fact, as data.
type Need struct {
	Kind    NeedKind
	Commit  string
	Base    string
	OID     string
	Team    string
	Repo    string
	Branch  string
	Tag     string
	Login   string
	Path    string
	Title   string
	ID      int64
	Attempt int
	Ref     string
	Scan    *ScanRequest

	Environment string
	// Moves counts what can bring a branch back to a commit that it had left: then
	// others may have pushed since, although it stands where it stood.
	Moves int
}

// Key is under which the answer is kept, unique within its kind.
func (n Need) Key() string {
	switch n.Kind {
	case NeedTree, NeedMade:
		return n.Commit
	case NeedBlob:
		return n.OID
	case NeedMergeBase, NeedReach:
		return n.Base + ".." + n.Commit
	case NeedTeam:
		return n.Team
	case NeedPushers:
		return n.Repo + ":" + n.Branch + "@" + n.Commit
	case NeedBranch, NeedOpened:
		return n.Branch
	case NeedTag, NeedRelease:
		return n.Tag
	case NeedDeployed:
		return n.Environment
	case NeedAccess:
		return strings.ToLower(n.Login)
	case NeedScan:
		return n.Scan.Key()
	case NeedRuns:
		return strings.TrimSpace(n.Path + " " + n.Title)
	case NeedBrought:
		return n.Path
	case NeedRun:
		if n.Attempt == 0 {
			return strconv.FormatInt(n.ID, 10)
		}
		return strconv.FormatInt(n.ID, 10) + "/" + strconv.Itoa(n.Attempt)
	case NeedReports, NeedPending, NeedArtifacts, NeedArtifact, NeedPull:
		return strconv.FormatInt(n.ID, 10)
	case NeedClaim:
		return n.Ref
	case NeedGuard:
		return n.Environment
	}
	return ""
}

// String names the need for a log or an error.
func (n Need) String() string { return fmt.Sprintf("%s %s", n.Kind, n.Key()) }

// Answered tells whether the fact is there.
func (c *Common) Answered(n Need) bool {
	var ok bool
	switch n.Kind {
	case NeedTree:
		_, ok = c.Git.Trees[n.Key()]
	case NeedBlob:
		_, ok = c.Git.Blobs[n.Key()]
	case NeedMergeBase:
		_, ok = c.Bases[n.Key()]
	case NeedReach:
		_, ok = c.Reach[n.Key()]
	case NeedMade:
		_, ok = c.Made[n.Key()]
	case NeedTeam:
		_, ok = c.Teams[n.Key()]
	case NeedPushers:
		_, ok = c.Pushers[n.Key()]
	case NeedBranch:
		_, ok = c.Branches[n.Key()]
	case NeedTag:
		_, ok = c.Tags[n.Key()]
	case NeedAccess:
		_, ok = c.Access[n.Key()]
	case NeedScan:
		_, ok = c.Scans[n.Key()]
	case NeedRuns:
		_, ok = c.Workflows[n.Key()]
	case NeedRun:
		_, ok = c.Runs[n.Key()]
	case NeedWaiting:
		_, ok = c.Waiting[n.Key()]
	case NeedPending:
		_, ok = c.Pending[n.Key()]
	case NeedArtifacts:
		_, ok = c.Artifacts[n.Key()]
	case NeedArtifact:
		_, ok = c.Contents[n.Key()]
	case NeedClaim:
		_, ok = c.Claims[n.Key()]
	case NeedBrought:
		_, ok = c.Brought[n.Key()]
	case NeedOpened:
		_, ok = c.Opened[n.Key()]
	case NeedPull:
		_, ok = c.Pulls[n.Key()]
	case NeedIssues:
		ok = c.IssuesRead
	case NeedTags:
		ok = c.TagsRead
	case NeedRelease:
		_, ok = c.Releases[n.Key()]
	case NeedReports:
		_, ok = c.Reports[n.Key()]
	case NeedDeployed:
		_, ok = c.Deployments[n.Key()]
	case NeedGuard:
		_, ok = c.Guards[n.Key()]
	}
	return ok
}

// ScanRequest names a dataset's bytes and how they are to be scanned; equal
// requests have equal answers, which is why its digest is a cache key.
type ScanRequest struct {
	Path       string       `json:"path"`               // as positions show it
	OID        string       `json:"oid,omitempty"`      // a git blob
	Size       int64        `json:"size,omitempty"`     // bytes, as the tree tells
	Repository string       `json:"repo,omitempty"`     // "owner/name" that holds the blob, "" ours
	URI        string       `json:"uri,omitempty"`      // an object store's, allowed by the base branch
	Locale     string       `json:"locale"`             //
	SchemaOID  string       `json:"schema,omitempty"`   // a repository's own record schema (blob), "" built in
	Channels   []string     `json:"channels,omitempty"` // declared channels
	Evaluation *ScanRequest `json:"evaluation,omitempty"`
}

// Key is the sha256 of the request, the scanner's version included.
func (s ScanRequest) Key() string {
	raw, err := json.Marshal(struct {
		Version string `json:"version"`
		ScanRequest
	}{dataset.ScannerVersion, s})
	if err != nil { // plain strings and numbers: cannot happen
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Scan is what a dataset turned out to be.
type Scan struct {
	Facts *dataset.Facts `json:"facts,omitempty"` // nil until the scan is done
	// Pending: still scanning; Done of Total bytes.
	Pending bool  `json:"pending,omitempty"`
	Done    int64 `json:"done,omitempty"`
	Total   int64 `json:"total,omitempty"`
	// Absent, TooLarge, Pointer: GitHub answered for good. Pointer: the blob is
	// a Git LFS pointer whose object could not be had.
	Absent   bool   `json:"absent,omitempty"`
	TooLarge bool   `json:"too_large,omitempty"`
	Pointer  string `json:"pointer,omitempty"`
	Refused  string `json:"refused,omitempty"` // bytes that are not read, or do not count: one of the reasons below
	// Version is the object store's own id of the bytes that were scanned; "" where
	// it keeps no versions.
	Version string `json:"version,omitempty"`
}

// Why a dataset's bytes are not read, or do not count.
const (
	RefusedBucket  = "bucket"   // in no bucket that the policy of the base branch allows
	RefusedNoStore = "no store" // in a bucket that this server is not configured for
	RefusedByStore = "store"    // the store does not let us read
	RefusedAddress = "address"  // the store sent us to an address that is not followed
	RefusedDiffers = "differs"  // not the bytes that the Git LFS pointer names
	RefusedChanged = "changed"  // replaced while it was read
	RefusedSchema  = "schema"   // the repository's own record schema is none
)
