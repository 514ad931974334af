package fakegithub

func (s *Server) graphQL(c *call) (answer, bool, error) { return answer{}, false, errNotFound }
