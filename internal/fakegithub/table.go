package fakegithub

import (
	"strings"
	"sync"
)

// table lists every operation; literal paths stand before those with
// parameters in their place.
func (s *Server) table() []*route {
	var all []*route
	for _, group := range [][]*route{
		s.appRoutes(), s.hookRoutes(), s.peopleRoutes(), s.repoRoutes(), s.pullRoutes(), s.issueRoutes(), s.checkRoutes(), s.gitRoutes(), s.contentRoutes(),
		s.actionRoutes(), s.environmentRoutes(), s.deploymentRoutes(), s.releaseRoutes(),
	} {
		for _, rt := range group {
			rt.parts = strings.Split(strings.Trim(rt.template, "/"), "/")
			all = append(all, rt)
		}
	}
	return all
}

// Served lists the REST operations that there are, "METHOD /template", as
// GitHub's description names them.
func Served() []string {
	var out []string
	for _, rt := range new(Server).table() {
		out = append(out, rt.method+" "+rt.template)
	}
	return out
}

// Match names the operation of a request path as GitHub's description names it.
func Match(method, escapedPath string) (template string, params map[string]string, found bool) {
	rt, params, _ := matcher().lookup(method, escapedPath)
	if rt == nil {
		return "", nil, false
	}
	return rt.template, params, true
}

var matcher = sync.OnceValue(func() *Server {
	s := new(Server)
	s.routes = s.table()
	return s
})
