package dataset

import (
	"bytes"
	"fmt"
	"io"
	"sync/atomic"
)

const (
	blockBytes   = 256 << 10 // fits the second-level cache, so that hashing and scanning read memory once
	maxLineBytes = 8 << 20   // DS001
)

// block is a run of whole lines, with the raw bytes that the hash still needs.
type block struct {
	home      chan *block  // of the worker that it belongs to
	number    int          // in the stream
	due       atomic.Int32 // of hashing and inspecting, what is not done yet
	buf       []byte
	hashFrom  int      // bytes before it were hashed with the block before
	from, to  int      // the lines
	firstLine int      // number of the first line in the block: 2 behind the end of one that is too long
	lines     int      // that end in the block, known when it is scanned
	skipped   int      // bytes before line 1's first byte: a byte order mark
	problems  []caseID // of the file, found while cutting; their line is firstLine
	ends      bool     // the last block of the stream
	done      int64    // bytes of the stream up to here

	out tally
}

// cutter cuts a stream into blocks. Its memory is one block: a line longer than
// maxLineBytes is told, skipped and still handed out for hashing.
type cutter struct {
	r        io.Reader
	carry    []byte // the beginning of a line, hashed already
	skipping bool   // inside a line that is too long
	opaque   bool   // not a text at all: only hashed
	started  bool
	done     int64
}

// next fills b; b.ends is set on the last one.
func (c *cutter) next(b *block) error {
	if cap(b.buf) < blockBytes || cap(b.buf) > 4*blockBytes {
		b.buf = make([]byte, 0, max(blockBytes, len(c.carry)+blockBytes))
	}
	b.buf = append(b.buf[:0], c.carry...)
	b.hashFrom, b.from, b.to, b.skipped = len(c.carry), 0, 0, 0
	b.problems, b.ends = b.problems[:0], false
	for {
		if cap(b.buf)-len(b.buf) < blockBytes/2 {
			grown := make([]byte, len(b.buf), 2*cap(b.buf))
			copy(grown, b.buf)
			b.buf = grown
		}
		old := len(b.buf)
		n, err := io.ReadFull(c.r, b.buf[old:cap(b.buf)])
		b.buf = b.buf[:old+n]
		c.done += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			b.ends = true
		} else if err != nil {
			return fmt.Errorf("read dataset: %w", err)
		}
		if c.cut(b) {
			b.done = c.done
			return nil
		}
	}
}

// cut decides which bytes are whole lines; false asks for more bytes.
func (c *cutter) cut(b *block) bool {
	b.from = 0
	b.firstLine = 1
	if !c.started {
		c.started = true
		c.open(b)
	}
	b.from = b.skipped
	if c.opaque {
		b.from, b.to = len(b.buf), len(b.buf)
		c.carry = c.carry[:0]
		return true
	}
	if c.skipping {
		nl := bytes.IndexByte(b.buf, '\n')
		if nl < 0 {
			b.from, b.to = len(b.buf), len(b.buf)
			c.carry = c.carry[:0]
			return true
		}
		c.skipping = false
		b.firstLine++
		b.from = nl + 1
	}
	if b.ends {
		b.to = len(b.buf)
		c.carry = c.carry[:0]
		if n := len(b.buf); n > b.from && b.buf[n-1] != '\n' {
			b.problems = append(b.problems, readFinalNewline)
		}
		return true
	}
	nl := bytes.LastIndexByte(b.buf[b.from:], '\n')
	if nl < 0 {
		if len(b.buf)-b.from <= maxLineBytes {
			return false
		}
		c.skipping = true
		b.problems = append(b.problems, readLineLength)
		b.from, b.to = len(b.buf), len(b.buf)
		c.carry = c.carry[:0]
		return true
	}
	b.to = b.from + nl + 1
	if cap(c.carry) > blockBytes {
		c.carry = nil // of a line as long as hardly any
	}
	c.carry = append(c.carry[:0], b.buf[b.to:]...)
	return true
}

// open looks at the first bytes of the stream: what is no JSON Lines at all is
// told once instead of a million times.
func (c *cutter) open(b *block) {
	has := func(magic string) bool { return bytes.HasPrefix(b.buf, []byte(magic)) }
	switch {
	case len(b.buf) == 0:
		b.problems = append(b.problems, readEmpty)
	case has("\xEF\xBB\xBF"):
		b.problems = append(b.problems, readBOM)
		b.skipped = 3
	case has("\xFF\xFE"), has("\xFE\xFF"):
		b.problems = append(b.problems, readUTF16)
		c.opaque = true
	case has("\x1F\x8B"), has("PK\x03\x04"), has("\x28\xB5\x2F\xFD"), has("BZh"), has("\xFD7zXZ\x00"), has("PAR1"):
		b.problems = append(b.problems, readArchive)
		c.opaque = true
	case has("version https://git-lfs.github.com/spec/"):
		b.problems = append(b.problems, readLFSPointer)
		c.opaque = true
	}
}
