package gh

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pilotgate/pilotgate/internal/facts"
)

const (
	// blobsAtOnce bounds one query. Documents are small; what GitHub cuts at
	// 512,000 bytes is read by itself.
	blobsAtOnce = 25
	// smallDataset is up to which size a dataset is asked for like a document:
	// larger ones are streamed. In bytes.
	smallDataset = 400_000
	// changedBytes bounds what is asked for because it changed, in bytes.
	changedBytes = 512 << 10
	// These bound what else is asked for in one query; a plan names one tag, a role
	// file a handful of teams and people.
	refsAtOnce   = 10
	teamsAtOnce  = 20
	peopleAtOnce = 20
)

// Sight is where a pull request's head was seen, and when.
type Sight struct {
	Head string
	At   time.Time
}

// bundle is what one query asks for: documents, small datasets, teams, people,
// tags, and where the pull request stands.
type bundle struct {
	blobs  []string
	teams  []string
	people []string // logins
	tags   []string
}

func (b *bundle) empty() bool { return len(b.blobs)+len(b.teams)+len(b.people)+len(b.tags) == 0 }

// add takes a need if it is one for a bundle and there is room.
func (b *bundle) add(n facts.Need) {
	put := func(to *[]string, key string, limit int) {
		if len(*to) < limit && !slices.Contains(*to, key) {
			*to = append(*to, key)
		}
	}
	switch {
	case n.Kind == facts.NeedBlob && isOID(n.OID):
		b.blobs = append(b.blobs, n.OID)
	case n.Kind == facts.NeedTeam:
		put(&b.teams, n.Team, teamsAtOnce)
	case n.Kind == facts.NeedAccess && loginName(n.Login):
		put(&b.people, n.Key(), peopleAtOnce)
	case n.Kind == facts.NeedTag && tagName(n.Tag):
		put(&b.tags, n.Tag, refsAtOnce)
	}
}

func (b *bundle) needs() []facts.Need {
	var out []facts.Need
	for _, id := range b.blobs {
		out = append(out, facts.Need{Kind: facts.NeedBlob, OID: id})
	}
	for _, team := range b.teams {
		out = append(out, facts.Need{Kind: facts.NeedTeam, Team: team})
	}
	for _, login := range b.people {
		out = append(out, facts.Need{Kind: facts.NeedAccess, Login: login})
	}
	for _, tag := range b.tags {
		out = append(out, facts.Need{Kind: facts.NeedTag, Tag: tag})
	}
	return out
}

func (b *bundle) has(n facts.Need) bool {
	switch n.Kind {
	case facts.NeedBlob:
		return slices.Contains(b.blobs, n.OID)
	case facts.NeedTeam:
		return slices.Contains(b.teams, n.Team)
	case facts.NeedAccess:
		return slices.Contains(b.people, n.Key())
	case facts.NeedTag:
		return slices.Contains(b.tags, n.Tag)
	}
	return false
}

// together gathers the needs that one query answers. What the last look at this
// subject asked for besides, and may have changed since, comes along: it will be
// asked for again, and a request more or less is what counts.
func (f *filling) together(needs []facts.Need) bundle {
	var b bundle
	var fleeting []facts.Need
	for _, n := range needs {
		b.add(n)
		if n.Kind == facts.NeedTag {
			fleeting = append(fleeting, n)
		}
		if n.Kind == facts.NeedScan {
			for r := n.Scan; r != nil; r = r.Evaluation {
				f.addDataset(&b, r)
			}
		}
	}
	if f.subject.Kind == facts.KindPullRequest && !b.empty() {
		f.addChanged(&b)
	}
	last, _ := f.client.wanted.get(f.subject)
	if len(fleeting) > 0 && !slices.Equal(last, fleeting) {
		f.client.wanted.put(f.subject, fleeting, int64(4*len(fleeting)))
	}
	if !b.empty() {
		for _, n := range last {
			if !f.to.Answered(n) {
				b.add(n)
			}
		}
	}
	return b
}

// addDataset asks for a small dataset that is to be scanned and is not known.
func (f *filling) addDataset(b *bundle, r *facts.ScanRequest) {
	if !isOID(r.OID) || r.Size <= 0 || r.Size > smallDataset || r.Repository != "" || r.URI != "" || slices.Contains(b.blobs, r.OID) {
		return
	}
	if _, ok := f.client.blobs.get(object{f.to.Repository.ID, r.OID}); ok || f.client.scanner == nil || f.client.scanner.Known(f.subject.Repository, *r) {
		return
	}
	b.blobs = append(b.blobs, r.OID)
}

// addChanged asks for the files that differ between the trees of the look: a
// request's documents name each other, and would be asked for one round after
// the other. It fills up the query that is sent anyway.
func (f *filling) addChanged(b *bundle) {
	var changed []facts.Change
	var last *facts.Tree
	for _, commit := range slices.Sorted(maps.Keys(f.to.Git.Trees)) {
		t := f.to.Git.Trees[commit]
		if last != nil {
			changed = append(changed, facts.Changes(*last, t)...)
		}
		last = &t
	}
	room := int64(changedBytes)
	for _, c := range changed {
		for _, e := range []facts.Entry{c.Before, c.After} {
			_, known := f.client.blobs.get(object{f.to.Repository.ID, e.OID})
			if known || !e.Regular() || !isOID(e.OID) || e.Size > smallDataset || e.Size > room || len(b.blobs) >= blobsAtOnce || slices.Contains(b.blobs, e.OID) {
				continue
			}
			room -= e.Size
			b.blobs = append(b.blobs, e.OID)
		}
	}
}

// ask sends the queries of a bundle and answers its needs; those that did not
// arrive whole are left to a read of their own. The last query looks where the
// pull request stands.
func (f *filling) ask(ctx context.Context, b bundle) (Sight, []facts.Need, error) {
	if b.empty() {
		return Sight{}, nil, nil
	}
	var left []facts.Need
	for len(b.blobs) > blobsAtOnce {
		_, more, err := f.query(ctx, bundle{blobs: b.blobs[:blobsAtOnce]}, false)
		if err != nil {
			return Sight{}, nil, err
		}
		left = append(left, more...)
		b.blobs = b.blobs[blobsAtOnce:]
	}
	sight, more, err := f.query(ctx, b, f.subject.Kind == facts.KindPullRequest)
	return sight, append(left, more...), err
}

func (f *filling) query(ctx context.Context, b bundle, sighted bool) (Sight, []facts.Need, error) {
	var declared, inside, beside strings.Builder
	vars := map[string]any{"owner": f.to.Repository.Owner, "name": f.to.Repository.Name}
	for i, id := range b.blobs {
		vars[fmt.Sprintf("b%d", i)] = id
		fmt.Fprintf(&declared, ", $b%d: GitObjectID!", i)
		fmt.Fprintf(&inside, "    b%d: object(oid: $b%d) { __typename ... on Blob { text } }\n", i, i)
	}
	for i, tag := range b.tags {
		vars[fmt.Sprintf("t%d", i)] = "refs/tags/" + tag
		fmt.Fprintf(&declared, ", $t%d: String!", i)
		fmt.Fprintf(&inside, "    t%d: ref(qualifiedName: $t%d) { target { oid } }\n", i, i)
	}
	for i, login := range b.people {
		vars[fmt.Sprintf("p%d", i)] = login
		fmt.Fprintf(&declared, ", $p%d: String!", i)
		fmt.Fprintf(&inside, "    p%d: collaborators(login: $p%d, first: 1) { edges { permission node { databaseId login } } }\n", i, i)
	}
	if sighted {
		number, _ := strconv.Atoi(f.subject.ID)
		vars["number"] = number
		declared.WriteString(", $number: Int!")
		inside.WriteString("    head: pullRequest(number: $number) { headRefOid }\n")
	}
	for i, team := range b.teams {
		org, slug, _ := strings.Cut(team, "/")
		vars[fmt.Sprintf("o%d", i)], vars[fmt.Sprintf("s%d", i)] = org, slug
		fmt.Fprintf(&declared, ", $o%d: String!, $s%d: String!", i, i)
		fmt.Fprintf(&beside, "  m%d: organization(login: $o%d) { team(slug: $s%d) { id members(first: 100) { pageInfo { hasNextPage } nodes { databaseId login } } repositories(first: 100, query: $name) { pageInfo { hasNextPage } nodes { databaseId } } } }\n", i, i, i)
	}
	if inside.Len() == 0 {
		inside.WriteString("    id\n")
	}
	text := "query Facts($owner: String!, $name: String!" + declared.String() + ") {\n" +
		"  repository(owner: $owner, name: $name) {\n" + inside.String() + "  }\n" + beside.String() + "}"
	sight := Sight{At: time.Now()}
	var data map[string]json.RawMessage
	failed, err := f.call("graphql Facts").exchange(ctx, text, vars, &data)
	var fields map[string]json.RawMessage
	switch {
	case isAbsent(err), isRefused(err), err == nil && !decode(data["repository"], &fields):
		return Sight{}, b.needs(), nil // each then says for itself whether it is there
	case err != nil:
		return Sight{}, nil, fmt.Errorf("read facts: %w", err)
	}
	refused := map[string]queryError{}
	for _, e := range failed {
		refused[e.alias()] = e
	}
	if sighted {
		var head struct{ HeadRefOID string }
		if decode(fields["head"], &head) {
			sight.Head = head.HeadRefOID
		}
	}
	return sight, f.understand(b, data, fields, refused), nil
}

// alias is the part of a bundle that an error is about.
func (e queryError) alias() string {
	for _, p := range e.Path {
		if s, ok := p.(string); ok && s != "repository" {
			return s
		}
	}
	return ""
}

func decode(raw json.RawMessage, to any) bool {
	return len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, to) == nil
}

// understand takes the answers of a bundle. What does not arrive whole (cut, not
// UTF-8, more than a page) is left: only a blob whose git id comes out right is kept.
func (f *filling) understand(b bundle, data, fields map[string]json.RawMessage, refused map[string]queryError) (left []facts.Need) {
	for i, id := range b.blobs {
		var got struct{ Text *string }
		n := facts.Need{Kind: facts.NeedBlob, OID: id}
		if !decode(fields[fmt.Sprintf("b%d", i)], &got) || got.Text == nil || len(*got.Text) > facts.MaxBlob || blobID([]byte(*got.Text), len(id)) != id {
			left = append(left, n)
			continue
		}
		set(f, f.to.Git.Blobs, n, f.client.keepBlob(f.to.Repository.ID, id, []byte(*got.Text)))
	}
	for i, tag := range b.tags {
		alias, n := fmt.Sprintf("t%d", i), facts.Need{Kind: facts.NeedTag, Tag: tag}
		var got struct{ Target *oid }
		switch _, bad := refused[alias]; {
		case bad:
			left = append(left, n)
		case decode(fields[alias], &got) && got.Target != nil:
			set(f, f.to.Tags, n, facts.TagFacts{OID: got.Target.OID})
		default:
			set(f, f.to.Tags, n, facts.TagFacts{Absent: true})
		}
	}
	for i, login := range b.people {
		alias, n := fmt.Sprintf("p%d", i), facts.Need{Kind: facts.NeedAccess, Login: login}
		var got wireCollaborators
		if _, bad := refused[alias]; bad || !decode(fields[alias], &got) {
			left = append(left, n)
			continue
		}
		set(f, f.to.Access, n, got.access(login))
	}
	for i, team := range b.teams {
		alias, n := fmt.Sprintf("m%d", i), facts.Need{Kind: facts.NeedTeam, Team: team}
		e, bad := refused[alias]
		var got wireMembers
		switch whole := !bad && decode(data[alias], &got); {
		case bad && e.Type != "NOT_FOUND" && e.Type != "FORBIDDEN", whole && got.Team != nil && got.Team.Members.PageInfo.HasNextPage:
			if whole && !got.Team.reaches(f.to.Repository.ID) {
				f.mu.Lock()
				made(&f.outside)
				f.outside[strings.ToLower(team)] = true
				f.mu.Unlock()
			}
			left = append(left, n)
		case whole && got.Team != nil:
			t := facts.Team{NodeID: got.Team.ID, Outside: !got.Team.reaches(f.to.Repository.ID)}
			for _, u := range got.Team.Members.Nodes {
				t.Members = append(t.Members, facts.Account{ID: u.DatabaseID, Login: u.Login, Type: "User"})
			}
			f.keepTeam(team, t)
			set(f, f.to.Teams, n, t)
		default:
			f.keepTeam(team, facts.Team{Absent: true})
			set(f, f.to.Teams, n, facts.Team{Absent: true})
		}
	}
	return left
}

type wireMembers struct{ Team *wireTeam }

type wireTeam struct {
	ID      string
	Members connection[struct {
		DatabaseID int64
		Login      string
	}]
	Repositories connection[struct{ DatabaseID int64 }] // of this repository's name
}

// reaches tells whether this repository is among the team's; of more than a page
// with a name like it, it may be.
func (t *wireTeam) reaches(repository int64) bool {
	return t.Repositories.PageInfo.HasNextPage || slices.ContainsFunc(t.Repositories.Nodes, func(r struct{ DatabaseID int64 }) bool { return r.DatabaseID == repository })
}
