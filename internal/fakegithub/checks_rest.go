package fakegithub

import (
	"fmt"
	"slices"
	"sort"
)

func (c *call) findRun() (*checkRun, *failure) {
	if run := c.repo.run(c.number("check_run_id")); run != nil {
		return run, nil
	}
	return nil, errNotFound
}

func (s *Server) checkRoutes() []*route {
	const base = "/repos/{owner}/{repo}/check-runs"
	with := func(do func(*call, *checkRun) (answer, error)) handler {
		return func(c *call) (answer, error) {
			run, f := c.findRun()
			if f != nil {
				return answer{}, f
			}
			return do(c, run)
		}
	}
	return []*route{
		{method: "POST", template: base, operation: "checks/create", needs: "checks:write", do: func(c *call) (answer, error) {
			if c.actor.app == nil {
				return answer{}, &failure{status: 403, message: "You must authenticate via a GitHub App."}
			}
			var q runInput
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			run, f := c.s.createRun(c.repo, c.actor.app, &q)
			if f != nil {
				return answer{}, f
			}
			c.late(run.nodeID())
			return created(c.s.showRun(run))
		}},
		{method: "GET", template: base + "/{check_run_id}", operation: "checks/get", needs: "checks:read", do: with(func(c *call, run *checkRun) (answer, error) {
			return ok(c.s.showRun(run))
		})},
		{method: "PATCH", template: base + "/{check_run_id}", operation: "checks/update", needs: "checks:write", do: with(func(c *call, run *checkRun) (answer, error) {
			if run.app != c.actor.app {
				return answer{}, &failure{status: 403, message: "Invalid app_id `" + fmt.Sprint(c.actor.app.id) + "` - check run can only be modified by the GitHub App that created it."}
			}
			var q runInput
			if f := c.decode(&q); f != nil {
				return answer{}, f
			}
			if f := c.s.updateRun(run, &q); f != nil {
				return answer{}, f
			}
			return ok(c.s.showRun(run))
		})},
		{method: "GET", template: base + "/{check_run_id}/annotations", operation: "checks/list-annotations", needs: "checks:read", do: with(func(c *call, run *checkRun) (answer, error) {
			return ok(list(page(c, run.annotations), func(a annotation) fields {
				f := fields{
					"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": a.StartColumn, "end_column": a.EndColumn,
					"annotation_level": a.Level, "title": orNull(a.Title), "message": a.Message, "raw_details": orNull(a.RawDetails),
					"blob_href": c.s.html(c.repo.full() + "/blob/" + run.head + "/" + a.Path),
				}
				return f
			}))
		})},
		{method: "POST", template: base + "/{check_run_id}/rerequest", operation: "checks/rerequest-run", needs: "checks:write", do: with(func(c *call, run *checkRun) (answer, error) {
			c.s.rerequest(run, c.actor.user)
			return created(fields{})
		})},
		{method: "GET", template: "/repos/{owner}/{repo}/commits/{ref}/check-runs", operation: "checks/list-for-ref", needs: "checks:read", do: (*call).listRuns},
		{method: "GET", template: "/repos/{owner}/{repo}/commits/{ref}/check-suites", operation: "checks/list-suites-for-ref", needs: "checks:read", do: func(c *call) (answer, error) {
			oid := c.resolve(c.params["ref"])
			var out []*suite
			for _, su := range c.repo.suites {
				if su.head == oid && (c.query("app_id") == "" || c.query("app_id") == fmt.Sprint(su.app.id)) {
					out = append(out, su)
				}
			}
			sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
			return ok(fields{"total_count": len(out), "check_suites": list(page(c, out), c.s.showSuite)})
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/check-suites/{check_suite_id}", operation: "checks/get-suite", needs: "checks:read", do: func(c *call) (answer, error) {
			for _, su := range c.repo.suites {
				if su.id == c.number("check_suite_id") {
					return ok(c.s.showSuite(su))
				}
			}
			return answer{}, errNotFound
		}},
		{method: "GET", template: "/repos/{owner}/{repo}/commits/{ref}/status", operation: "repos/get-combined-status-for-ref", needs: "statuses:read", do: (*call).combinedStatus},
	}
}

// listRuns shows the latest run of each name unless filter=all.
func (c *call) listRuns() (answer, error) {
	oid := c.resolve(c.params["ref"])
	if oid == "" {
		return answer{}, unprocessable("No commit found for SHA: " + c.params["ref"])
	}
	var out []*checkRun
	for _, run := range c.repo.runs {
		if run.head == oid && (c.query("app_id") == "" || c.query("app_id") == fmt.Sprint(run.app.id)) &&
			(c.query("check_name") == "" || c.query("check_name") == run.name) && (c.query("status") == "" || c.query("status") == run.status) {
			out = append(out, run)
		}
	}
	if c.query("filter") != "all" {
		out = latestRuns(out)
	}
	slices.Reverse(out)
	out = seen(c, out, (*checkRun).nodeID)
	return ok(fields{"total_count": len(out), "check_runs": list(page(c, out), c.s.showRun)})
}

func (c *call) combinedStatus() (answer, error) {
	oid := c.resolve(c.params["ref"])
	last := map[string]*commitStatus{}
	for _, st := range c.repo.statuses {
		if st.head == oid {
			last[st.context] = st
		}
	}
	state := "success"
	out := []fields{}
	for _, k := range sortedKeys(last) {
		st := last[k]
		if st.state != "success" {
			state = st.state
		}
		out = append(out, fields{
			"id": st.id, "node_id": nodeID("SC", st.id), "context": st.context, "state": st.state, "description": orNull(st.description),
			"target_url": orNull(st.url), "created_at": stampOf(st.at), "updated_at": stampOf(st.at), "url": c.s.api("repos/" + c.repo.full() + "/statuses/" + oid),
			"avatar_url": c.s.html("avatars"),
		})
	}
	if len(out) == 0 {
		state = "pending"
	}
	return ok(fields{
		"state": state, "sha": oid, "total_count": len(out), "statuses": page(c, out), "repository": c.s.showRepo(c.repo),
		"commit_url": c.s.api("repos/" + c.repo.full() + "/commits/" + oid), "url": c.s.api("repos/" + c.repo.full() + "/commits/" + oid + "/status"),
	})
}
