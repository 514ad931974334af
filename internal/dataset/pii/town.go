package pii

import (
	"bytes"
	"slices"
)

// widen takes the town and the index before a street into the address.
func (s *Scanner) widen(from int) int {
	for range 4 {
		i := from
		for i > 0 && s.text[i-1] == ' ' {
			i--
		}
		if i == 0 || s.text[i-1] != ',' {
			return s.townBefore(from)
		}
		i--
		if part := s.namedPart(i); part < i {
			from = part
			continue
		}
		// The part before the comma: up to four words, from the first that is a
		// town's word or an index.
		pos, best := i, -1
		for range 4 {
			start, end, ok := s.previous(pos)
			if !ok {
				break
			}
			word := ""
			if end-start <= 40 {
				word = string(s.foldWord(start, end))
			}
			if cityWords[word] && (len(word) > 3 || pos < i) {
				best = start
			} else if end-start == 6 && isDigits(s.text[start:end]) {
				best = start
			}
			pos = start
			if pos > 0 && s.text[pos-1] != ' ' && s.text[pos-1] != '.' {
				break
			}
		}
		if best < 0 {
			return from
		}
		// "Московская область": the name stands before the word.
		if start, _, ok := s.previous(best); ok && s.capitalAt(start) && slices.Contains([]string{"область", "области", "обл", "край", "края", "район", "района", "р-н"}, string(s.foldWord(s.wordAt(best)))) {
			best = start
		}
		from = best
	}
	return from
}

// townBefore takes a town before "на" or "по" into the address: "в Самаре на улице
// Победы".
func (s *Scanner) townBefore(from int) int {
	start, end, ok := s.previous(from)
	if !ok || end != from-1 {
		return from
	}
	if w := string(s.text[start:end]); w != "на" && w != "по" {
		return from
	}
	town, end, ok := s.previous(start)
	if ok && end == start-1 && end-town <= 40 && s.capitalAt(town) && cityWords[string(s.foldWord(town, end))] {
		return town
	}
	return from
}

// namedPart gives where a building with a name of its own, or Saint Petersburg's
// "В. О.", begins that ends there; otherwise end.
func (s *Scanner) namedPart(end int) int {
	head := s.text[max(0, end-64):end]
	for _, part := range [...]string{"В.О.", "В. О."} {
		if bytes.HasSuffix(head, []byte(part)) && !s.letterBefore(end-len(part)) {
			return end - len(part)
		}
	}
	opening := -1
	switch {
	case bytes.HasSuffix(head, []byte("»")):
		opening = bytes.LastIndex(head, []byte("«"))
	case len(head) > 1 && head[len(head)-1] == '"':
		opening = bytes.LastIndexByte(head[:len(head)-1], '"')
	}
	if opening < 0 {
		return end
	}
	opening += end - len(head)
	if start, stop, ok := s.previous(opening); ok && stop >= opening-1 && stop-start <= 40 && buildingWords[string(s.foldWord(start, stop))] {
		return start
	}
	return end
}

func (s *Scanner) wordAt(start int) (int, int) {
	end := start
	for end < len(s.text) && (s.text[end] >= 0xD0 && s.text[end] <= 0xD1) {
		end += 2
	}
	if s.at(end) == '-' {
		end++
		for end < len(s.text) && (s.text[end] >= 0xD0 && s.text[end] <= 0xD1) {
			end += 2
		}
	}
	return start, min(end, len(s.text))
}
