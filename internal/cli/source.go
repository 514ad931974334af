package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pilotgate/pilotgate/internal/dataset"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// scanFile scans a file, or stdin, with progress on a terminal. What changes
// while it is read is an error: its bytes are of no one moment.
func scanFile(c *call, name string, o dataset.Options) (dataset.Facts, error) {
	in, err := openDataset(c, name)
	if err != nil {
		return dataset.Facts{}, err
	}
	defer in.Close() // only read
	bar := newProgress(c)
	defer bar.done()
	bar.expect([]facts.Need{{Kind: facts.NeedScan, Scan: &facts.ScanRequest{Size: in.size()}}})
	var before int64
	o.Progress = func(n int64) {
		bar.add(n - before)
		before = n
	}
	f, err := dataset.Scan(in, o)
	var panicked *dataset.PanicError
	switch {
	case errors.As(err, &panicked), err != nil && c.Err() != nil:
		return f, fmt.Errorf("read dataset %s: %w", name, err)
	case err != nil:
		return f, advise("see that it can be read to its end, then run this again", "read dataset %s: %w after %d bytes", name, in.failed, in.read)
	}
	if how := in.changed(); how != "" {
		return f, advise("wait until the export is complete, then run this again", "read dataset %s: it changed while it was read (%s)", name, how)
	}
	return f, nil
}

// source is a dataset that is being read. It ends with the first interrupt.
type source struct {
	ctx    context.Context
	from   io.Reader
	file   *os.File    // nil: a stream, whose bytes come once
	name   string      // "" for stdin
	began  fs.FileInfo // the file as it was opened
	read   int64       // bytes
	failed error       // why reading ended, if not at the end
}

// openDataset opens a file, or stdin by "-".
func openDataset(c *call, name string) (*source, error) {
	if name == "-" {
		s := &source{ctx: c, from: bufio.NewReaderSize(c.Stdin, 1<<20)}
		if file, ok := c.Stdin.(*os.File); ok {
			s.watch(file)
		}
		return s, nil
	}
	if scheme, _, ok := strings.Cut(name, "://"); ok {
		return nil, advise("download it first; the server reads the buckets that the policy allows", "read dataset %s: the command line does not open %s addresses", name, scheme)
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, advise("name a JSON Lines file, or - for stdin", "read dataset %s: no such file", name)
	case err == nil && info.IsDir():
		return nil, advise("name a JSON Lines file", "read dataset %s: it is a folder", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, advise("see that you may read it", "read dataset %s: %w", name, bare(err))
	}
	s := &source{ctx: c, from: file, name: name}
	s.watch(file)
	return s, nil
}

// watch remembers how a file was; a pipe or a device has no such thing.
func (s *source) watch(file *os.File) {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		s.file, s.began = file, info
	} else if s.name != "" {
		s.file = file
	}
}

// size is in bytes, 0 if it is not known.
func (s *source) size() int64 {
	if s.began == nil {
		return 0
	}
	return s.began.Size()
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	n, err := 0, s.ctx.Err()
	if err == nil {
		n, err = s.from.Read(b)
	}
	s.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = bare(err)
	}
	return n, err
}

// changed tells how the file is another one than was opened, "" if it is not.
// A file that is written over within the clock tick of its last writing is told
// only by file systems with finer times.
func (s *source) changed() string {
	if s.began == nil {
		return ""
	}
	now, err := s.file.Stat()
	if err != nil {
		return bare(err).Error()
	}
	if s.name != "" {
		switch named, err := os.Stat(s.name); {
		case errors.Is(err, fs.ErrNotExist):
			return "it is gone"
		case err == nil && !os.SameFile(named, s.began):
			return "another file has its name"
		}
	}
	switch {
	case now.Size() != s.began.Size():
		return fmt.Sprintf("%d bytes before and %d after", s.began.Size(), now.Size())
	case !now.ModTime().Equal(s.began.ModTime()):
		return "written over"
	}
	return ""
}

// Close implements io.Closer.
func (s *source) Close() error {
	if s.name == "" || s.file == nil {
		return nil
	}
	return s.file.Close()
}

// bare is an error of a file without the file's name, which the message has.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
