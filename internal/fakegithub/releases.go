package fakegithub

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

type release struct {
	id         int64
	tag, name  string
	body       string
	target     string
	draft, pre bool
	by         *account
	at         time.Time
}

// Release publishes a release; its tag is made at the default branch if it is not there.
func (r *Repo) Release(by, tag string, prerelease bool) {
	defer r.s.lock()()
	s, a := r.s, r.s.account(by)
	s.publish(r.r, a, &release{tag: tag, name: tag, pre: prerelease, target: r.r.defaultBranch})
}

func (s *Server) publish(r *repo, by *account, rel *release) {
	if !rel.draft && r.refs["refs/tags/"+rel.tag] == "" {
		s.setRef(r, "refs/tags/"+rel.tag, r.resolve(rel.target), by, "push")
	}
	rel.id, rel.by, rel.at = s.next("release"), by, s.stamp()
	r.releases = append(r.releases, rel)
	s.tell(r, "release", by.login, fields{"tag": rel.tag, "prerelease": rel.pre})
	if rel.draft {
		return
	}
	s.emit(r, "release", by, fields{"action": "published", "release": s.showRelease(r, rel)})
	act := "released"
	if rel.pre {
		act = "prereleased"
	}
	s.emit(r, "release", by, fields{"action": act, "release": s.showRelease(r, rel)})
}

func (s *Server) showRelease(r *repo, rel *release) fields {
	u := s.api(fmt.Sprintf("repos/%s/releases/%d", r.full(), rel.id))
	return fields{
		"id": rel.id, "node_id": nodeID("RE", rel.id), "url": u, "html_url": s.html(r.full() + "/releases/tag/" + rel.tag), "assets_url": u + "/assets",
		"upload_url": u + "/assets{?name,label}", "tarball_url": nil, "zipball_url": nil, "tag_name": rel.tag, "target_commitish": rel.target,
		"name": rel.name, "body": rel.body, "draft": rel.draft, "prerelease": rel.pre, "immutable": false, "created_at": stampOf(rel.at), "published_at": stampOf(rel.at),
		"author": s.showUser(rel.by), "assets": []fields{},
	}
}

func (s *Server) releaseRoutes() []*route {
	const base = "/repos/{owner}/{repo}/releases"
	one := func(pick func(*call, *release) bool) handler {
		return func(c *call) (answer, error) {
			for _, rel := range slices.Backward(c.repo.releases) {
				if pick(c, rel) {
					return ok(c.s.showRelease(c.repo, rel))
				}
			}
			return answer{}, errNotFound
		}
	}
	return []*route{
		{method: "GET", template: base, operation: "repos/list-releases", needs: "contents:read", do: func(c *call) (answer, error) {
			out := slices.Clone(c.repo.releases)
			slices.Reverse(out)
			return ok(list(page(c, out), func(rel *release) fields { return c.s.showRelease(c.repo, rel) }))
		}},
		{method: "GET", template: base + "/latest", operation: "repos/get-latest-release", needs: "contents:read", do: one(func(_ *call, rel *release) bool { return !rel.draft && !rel.pre })},
		{method: "GET", template: base + "/tags/{tag}", operation: "repos/get-release-by-tag", needs: "contents:read", do: one(func(c *call, rel *release) bool { return rel.tag == c.params["tag"] && !rel.draft })},
		{method: "GET", template: base + "/{release_id}", operation: "repos/get-release", needs: "contents:read", do: one(func(c *call, rel *release) bool { return rel.id == c.number("release_id") })},
		{method: "GET", template: "/repos/{owner}/{repo}/tags", operation: "repos/list-tags", needs: "metadata:read", do: func(c *call) (answer, error) {
			refs := c.repo.sortedRefs("refs/tags/")
			slices.Reverse(refs)
			return ok(list(page(c, refs), func(ref string) fields {
				name, oid := strings.TrimPrefix(ref, "refs/tags/"), c.repo.peel(c.repo.refs[ref])
				return fields{
					"name": name, "commit": fields{"sha": oid, "url": c.s.api("repos/" + c.repo.full() + "/commits/" + oid)}, "node_id": nodeID("REF", c.repo.id) + "_" + ref,
					"zipball_url": c.s.api("repos/" + c.repo.full() + "/zipball/" + ref), "tarball_url": c.s.api("repos/" + c.repo.full() + "/tarball/" + ref),
				}
			}))
		}},
	}
}
