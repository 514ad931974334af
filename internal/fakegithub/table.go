package fakegithub

import "strings"

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
