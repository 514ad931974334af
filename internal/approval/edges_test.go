package approval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/approval"
	"github.com/pilotgate/pilotgate/internal/facts"
)

func TestCommandsAreRead(t *testing.T) {
	long := "/pilot recheck\n" + strings.Repeat("a", 65536-len("/pilot recheck\n"))
	for _, c := range []struct {
		name, body string
		want       []approval.Command // verb, item, digest, reason
	}{
		{"a plain one", "/pilot recheck", []approval.Command{{Verb: "recheck"}}},
		{"with the other line ends, and space behind", "/pilot recheck \t\r\nThanks", []approval.Command{{Verb: "recheck"}}},
		{"an item, a digest and words", "/pilot confirm rollback ABCDEF012345 I tried it", []approval.Command{{Verb: "confirm", Item: "rollback", Digest: "abcdef012345", Reason: "I tried it"}}},
		{"a digest with its name", "/pilot override sha256:abcdef012345 It burns", []approval.Command{{Verb: "override", Digest: "abcdef012345", Reason: "It burns"}}},
		{"words that are no digest", "/pilot override because I say so", []approval.Command{{Verb: "override", Reason: "because I say so"}}},
		{"a rollback's reason that begins like a digest", "/pilot rollback dead digests everywhere", []approval.Command{{Verb: "rollback", Reason: "dead digests everywhere"}}},
		{"an item that is missing", "/pilot confirm", []approval.Command{{Verb: "confirm"}}},
		{"an unknown one, to be answered", "/pilot dance abcdef012345", []approval.Command{{Verb: "dance"}}},
		{"nothing after the word", "/pilot ", nil},
		{"not at the start of a line", " /pilot recheck", nil},
		{"another word", "/pilotrecheck", nil},
		{"between fences", "```\n/pilot recheck\n```\n~~~\n/pilot recheck\n~~~", nil},
		{"between fences, the other mark inside", "```\n~~~\n/pilot recheck\n```", nil},
		{"after a fence is closed", "```\nx\n```\n/pilot recheck", []approval.Command{{Verb: "recheck"}}},
		{"the first ten", strings.Repeat("/pilot recheck\n", 11), slicesOf(approval.Command{Verb: "recheck"}, 10)},
		{"in a comment of the longest length", long, []approval.Command{{Verb: "recheck"}}},
		{"not in a longer one", long + "a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []approval.Command
			for _, x := range approval.Commands([]facts.Comment{{Body: c.body}}) {
				got = append(got, approval.Command{Verb: x.Verb, Item: x.Item, Digest: x.Digest, Reason: x.Reason})
			}
			assert.Equal(t, c.want, got)
		})
	}
	assert.Empty(t, approval.Commands([]facts.Comment{{Body: "/pilot recheck", Ours: true}}), "ours")
	named := approval.Command{Digest: digest[:12]}
	assert.True(t, named.Names(digest))
	assert.False(t, named.Names(other))
	named.Edited = true
	assert.False(t, named.Names(digest))
}

func slicesOf(c approval.Command, n int) (out []approval.Command) {
	for range n {
		out = append(out, c)
	}
	return out
}

// Each case changes one thing at the edge of a condition.
func TestAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(*approval.Input)
		complete bool
	}{
		{"a second on the day the limit ends", func(in *approval.Input) {
			in.Pull.Now = in.Pull.Reviews[0].SubmittedAt.Add(in.MaxAge)
		}, true},
		{"no limit of age", func(in *approval.Input) { in.MaxAge, in.Pull.Now = 0, noon.AddDate(9, 0, 0) }, true},
		{"evidence that never came, where it is asked for", func(in *approval.Input) { in.AfterEvidence = true }, false},
		{"two people of one role fill only one", func(in *approval.Input) {
			in.Pull.Reviews[0].Author = vera
		}, false},
		{"a namesake with another id", func(in *approval.Input) {
			in.Pull.Author = facts.Account{ID: 99, Login: "irina-ml", Type: "User"}
			in.Initiator = ""
		}, true},
		{"no initiator named", func(in *approval.Input) { in.Initiator = "" }, true},
		{"a run of another check", func(in *approval.Input) {
			r := run(3, "h2", other, noon.Add(30*time.Second))
			r.Name = "pilot/plan"
			in.Pull.Runs = append(in.Pull.Runs, r)
		}, true},
		{"two runs in one second: the later id speaks", func(in *approval.Input) {
			in.Pull.Runs = append([]facts.CheckRun{run(9, "h2", digest, noon)}, append(in.Pull.Runs, run(3, "h2", other, noon))...)
		}, true},
		{"an earlier run of another digest", func(in *approval.Input) {
			in.Pull.Runs = append(in.Pull.Runs, run(9, "h2", other, noon.Add(-time.Minute)))
		}, true},
		{"a commit whose tree was cut", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Truncated = true }, "h2") }, false},
		{"a commit whose tree is not there", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Absent = true }, "h2") }, false},
		{"a commit whose parent's tree was cut", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Truncated = true }, "h1") }, false},
		{"a commit whose parent's tree is not there", func(in *approval.Input) { cut(in, func(x *facts.Tree) { x.Absent = true }, "h1") }, false},
		{"a commit without parents that brings the plan", func(in *approval.Input) {
			in.Pull.Commits[1].Parents, in.Pull.Commits[1].Author = nil, person(irina)
		}, false},
		{"a commit of one parent that GitHub signed", func(in *approval.Input) {
			in.Pull.Commits[1].Author, in.Pull.Commits[1].SignedByGitHub = person(irina), true
		}, false},
		{"a merge that GitHub did not sign and that takes the base's files", func(in *approval.Input) {
			in.Pull.Commits = append(in.Pull.Commits, facts.Commit{OID: "m", Parents: []string{"h2", "b"}, Author: person(irina), Committer: person(irina)})
			in.Pull.Git.Trees["m"] = in.Pull.Git.Trees["h2"]
		}, false},
		{"a suggestion in somebody else's commit", func(in *approval.Input) {
			in.Pull.Commits[1].Author, in.Pull.Commits[1].CoAuthors, in.Pull.Commits[1].SignedByGitHub = person(max), []facts.Person{person(irina)}, true
		}, false},
		{"a co-author who is nobody", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}} }, false},
		{"a committer who is nobody", func(in *approval.Input) { in.Pull.Commits[1].Committer.Account = nil }, false},
		{"a co-author who is somebody, after one who is nobody", func(in *approval.Input) {
			in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}, person(max)}
		}, false},
		{"nobody's commit in a checkout", func(in *approval.Input) { in.Pull.Local, in.Pull.Commits[1].Committer.Account = true, nil }, true},
		{"no role to fill", func(in *approval.Input) { in.Required = nil }, false},
		{"a request for changes that its author took back", func(in *approval.Input) {
			was := approve(1, oleg, -5)
			was.State = "CHANGES_REQUESTED"
			in.Pull.Reviews = append([]facts.Review{was}, in.Pull.Reviews...)
		}, true},
		{"a verdict of somebody else that was dismissed later", func(in *approval.Input) {
			was := approve(13, vera, 5)
			was.State = "DISMISSED"
			in.Pull.Reviews = append(in.Pull.Reviews, was)
		}, true},
		{"a verdict that was dismissed before", func(in *approval.Input) {
			was := approve(1, irina, -5)
			was.State = "DISMISSED"
			in.Pull.Reviews = append([]facts.Review{was}, in.Pull.Reviews...)
		}, true},
		{"a verdict of the same second, that was dismissed", func(in *approval.Input) {
			was := approve(14, irina, 1)
			was.State = "DISMISSED"
			in.Pull.Reviews = append(in.Pull.Reviews, was)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			c.change(&in)
			assert.Equal(t, c.complete, approval.Judge(in).Complete())
		})
	}
}

// cut makes Irina the author of the second commit and spoils one tree.
func cut(in *approval.Input, spoil func(*facts.Tree), oid string) {
	in.Pull.Commits[1].Author = person(irina)
	// As far as can be seen nothing governed changes.
	in.Pull.Git.Trees["h2"] = tree("README.md", "r1", planPath, "p1")
	x := in.Pull.Git.Trees[oid]
	spoil(&x)
	in.Pull.Git.Trees[oid] = x
}

func TestOnlyVerdictsAreWeighed(t *testing.T) {
	in := input(t)
	for i, state := range []string{"PENDING", "COMMENTED"} {
		r := approve(int64(20+i), vera, 3)
		r.State = state
		in.Pull.Reviews = append(in.Pull.Reviews, r)
	}
	own := approve(22, facts.Account{ID: 9, Login: "PilotGate[bot]", Type: "Bot"}, 3)
	in.Pull.Reviews = append(in.Pull.Reviews, own)
	got := approval.Judge(in)
	require.Len(t, got.Reviews, 2)
	assert.False(t, got.Reviews[0].Carried, "both saw the head as it is")
	in.MaxAge = 0
	assert.Zero(t, approval.Judge(in).LookAgainAt, "nothing expires")
}

func TestWhoCanStillApprove(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*approval.Input)
		want   []string
	}{
		{"everybody the file names", func(*approval.Input) {}, []string{"irina-ml", "acme/leads"}},
		{"not the initiator", func(in *approval.Input) { in.Initiator = "irina-ml" }, []string{"acme/leads"}},
		{"not the author", func(in *approval.Input) { in.Initiator, in.Pull.Author = "", irina }, []string{"acme/leads"}},
		{"not who had a hand in it", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{person(irina)} }, []string{"acme/leads"}},
		{"somebody, beside a commit of nobody's", func(in *approval.Input) { in.Pull.Commits[1].CoAuthors = []facts.Person{{Name: "x"}} }, []string{"irina-ml", "acme/leads"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := input(t)
			in.Pull.Reviews = in.Pull.Reviews[1:]
			c.change(&in)
			assert.Equal(t, c.want, approval.Judge(in).Roles[0].Can)
		})
	}
}
