package dataset

// Index is what an evaluation dataset leaves behind so that a training dataset
// can be compared with it: hashes and times, no text. It is not changed by the
// comparison, so several scans may share one.
type Index struct {
	path                    string // as shown in positions
	ids, sources, summaries lineTable
	near                    nearTable
	moments                 []moment
}

// moment is when and where a record of the evaluation dataset was posted.
type moment struct {
	channel uint64
	at      instant
	line    int
}

// keep enters a record into the index.
func (x *Index) keep(e *entry, s *sketch) {
	if e.idHash != 0 {
		x.ids.seen(e.idHash, e.line)
	}
	if e.srcHash != 0 {
		x.sources.seen(e.srcHash, e.line)
	}
	if e.sumHash != 0 {
		x.summaries.seen(e.sumHash, e.line)
	}
	if s != nil {
		x.near.add(s, e.line)
	}
	if e.at.set {
		x.moments = append(x.moments, moment{e.chanHash, e.at, e.line})
	}
}

// windows are the first and last time of each channel. Beyond maxChannels the
// rest shares one window, which can only find more.
type windows map[uint64]*window

type window struct{ first, last instant }

const maxChannels = 1 << 12

func (ws windows) add(channel uint64, at instant) {
	w := ws[channel]
	if w == nil {
		if len(ws) >= maxChannels {
			channel = 0
			w = ws[0]
		}
		if w == nil {
			w = &window{at, at}
			ws[channel] = w
		}
	}
	if at.before(w.first) {
		w.first = at
	}
	if w.last.before(at) {
		w.last = at
	}
}

// holds says whether the moment is inside the window of its channel.
func (ws windows) holds(m moment) bool {
	w := ws[m.channel]
	if w == nil && len(ws) > maxChannels {
		w = ws[0]
	}
	return w != nil && !m.at.before(w.first) && !w.last.before(m.at)
}
