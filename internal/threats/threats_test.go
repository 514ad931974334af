package threats

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// threat is one row of the threat model.
type threat struct {
	who, attack string
	test        func(*testing.T)
}

// threats is the threat model, each row of it, in its own words.
var threats = []threat{
	{"author", "approve A, push B, merge", approveThenPush},
	{"author", "force-push back to an approved SHA; retarget the base; rebase patch-identically", moveTheHead},
	{"author", "two pull requests with the same head SHA (check runs belong to a SHA)", sharedHead},
	{"author", "approves own PR, by a second account that is co-author or committer, or hidden behind a merge's second parent; unattributable commits", approvesOwnWork},
	{"one person in both roles", "approves once, or twice", onePersonInBothRoles},
	{"reviewer", "COMMENTED, pending, dismissed, later CHANGES_REQUESTED, edited body; approval by a bot or App; role lost after approving; pending invitation; renamed team; `ghost`", reviewsThatDoNotCount},
	{"author", "changes policy, roles, bands, workflow, or the sign-off log in the same PR", changesTheLaw},
	{"anyone", "a check run, status or comment with our name or marker; a comment command edited by somebody else", wearsOurName},
	{"fork", "artifact or workflow result with the right name", bringsAResult},
	{"author", "path tricks: `..`, symlink (120000), submodule (160000), case or Unicode variants, renames, > 300 and > 3,000 files, plan over 1 MB, added then removed", pathTricks},
	{"author", "YAML alias bomb, JSON depth, Markdown nesting, 8 MiB lines, regular-expression blow-up", bombs},
	{"author", "Markdown, HTML, @mention, link, table or marker injection from plan, branch, title, login into comment, check, log row, report", injection},
	{"author", "LFS pointer or dataset URI to another host, redirect to 169.254.169.254", leadsTheServerAway},
	{"dataset", "personal data echoed by annotation, comment, log, panic, error", personalData},
	{"log reader", "JWT, token, secret, private key in logs, errors or URLs", secretsInLogs},
	{"network", "forged, unsigned, oversized, slow, replayed deliveries", forgedDeliveries},
	{"network", "foreign publishes to the queue; Alertmanager endpoint without token", foreignPublishers},
	{"homoglyph", "Cyrillic look-alike login, team, role or path", lookAlikes},
	{"confused deputy", "bot's write access used to approve, merge or edit elsewhere", confusedDeputy},
	{"approver", "clicks the mend button, or hides behind the bot's commit", hidesBehindTheBot},
	{"writer to main", "edits log or evidence directly, reverts, rewrites records and re-chains them", tampersWithTheLedger},
	{"author", "reuses a pilot id, renames a plan after sign-off, `pilot: ../../.github/x`, digest-prefix collision in file names", reusesAnID},
	{"author", "replaces the dataset at the same URI, LFS object swapped after approval", replacesTheDataset},
	{"initiator", "launches twice on one sign-off, re-runs attempt 2, passes other inputs, another branch's workflow file", launchesOtherwise},
	{"anyone", "changes base-branch policy, bands or workflow after approval; role lost between approval, merge and launch", changesTheBase},
	{"alert sender", "forged, replayed or flapping alerts", sendsAlerts},
	{"commenter", "edited, quoted, old-digest or forged commands", commands},
	{"author", "lax policy on a side branch used as base", sideBranch},
	{"crash", "make evaluation crash to keep an old green", crashes},
	{"rename", "new owner of an old repository name", oldName},
}

func TestThreats(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range threats {
		name := row.who + ": " + row.attack
		require.False(t, seen[name], "twice in the table: %s", name)
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.test(t)
		})
	}
}
