package pii

// Context is what the caller knows of a text.
type Context struct {
	Channel  bool     // the text is a channel's name: a handle in it is none
	Declared []string // channels whose handles are public
}

// Scanner finds identifiers; it keeps its buffers from text to text. The zero
// value is ready. It is not for concurrent use.
type Scanner struct {
	matches []Match
}

// Scan gives the identifiers of a text in order of their first byte. The
// result is valid until the next call.
func (s *Scanner) Scan(text []byte, ctx Context) []Match {
	s.matches = s.matches[:0]
	return s.matches
}
