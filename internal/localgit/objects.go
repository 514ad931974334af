package localgit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

func isOID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// resolve is the commit that a revision names, "" if there is none.
func (r *Repo) resolve(ctx context.Context, rev string) (string, error) {
	if rev == "" || strings.HasPrefix(rev, "-") {
		return "", nil
	}
	out, err := r.git(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if code := exitCode(err); code == 1 || code == 128 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// Files lists the files of a revision.
func (r *Repo) Files(ctx context.Context, rev string) (facts.Tree, error) {
	commit, err := r.resolve(ctx, rev)
	if err != nil {
		return facts.Tree{}, fmt.Errorf("list files of %s: %w", rev, err)
	}
	if commit == "" {
		return facts.Tree{Absent: true}, nil
	}
	out, err := r.git(ctx, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
	if err != nil {
		return facts.Tree{}, fmt.Errorf("list files of %s: %w", rev, err)
	}
	return parseTree(out)
}

// maxEntries caps a listing; GitHub itself cuts at 100,000.
const maxEntries = 1_000_000

// parseTree reads `git ls-tree -r -z -l`: "<mode> <type> <oid> <size>\t<path>\0".
func parseTree(out []byte) (facts.Tree, error) {
	tree := facts.Tree{Entries: map[string]facts.Entry{}}
	for len(out) > 0 {
		line, rest, ok := bytes.Cut(out, []byte{0})
		if !ok {
			return facts.Tree{}, fmt.Errorf("git ls-tree: listing is cut")
		}
		out = rest
		head, path, ok := bytes.Cut(line, []byte{'\t'})
		f := strings.Fields(string(head))
		if !ok || len(f) != 4 || !isOID(f[2]) || len(path) == 0 {
			return facts.Tree{}, fmt.Errorf("git ls-tree: unknown line")
		}
		e := facts.Entry{Mode: f[0], OID: f[2]}
		if f[3] != "-" { // a submodule has no size
			n, err := strconv.ParseInt(f[3], 10, 64)
			if err != nil || n < 0 {
				return facts.Tree{}, fmt.Errorf("git ls-tree: unknown size")
			}
			e.Size = n
		}
		if len(tree.Entries) == maxEntries {
			tree.Truncated = true
			return tree, nil
		}
		tree.Entries[string(path)] = e
	}
	return tree, nil
}

// Blob reads one document.
func (r *Repo) Blob(_ context.Context, oid string) (facts.Blob, error) {
	if !isOID(oid) {
		return facts.Blob{Absent: true}, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.batch == nil {
		b, err := startBatch(r)
		if err != nil {
			return facts.Blob{}, err
		}
		r.batch = b
	}
	got, err := r.batch.read(oid)
	if err != nil { // out of step: the next one starts anew
		r.batch.close()
		r.batch = nil
		return facts.Blob{}, fmt.Errorf("read blob %s: %w", oid, err)
	}
	return got, nil
}

// batch is one `git cat-file --batch`, asked one question at a time.
type batch struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startBatch(r *Repo) (*batch, error) {
	cmd := r.command(context.Background(), "cat-file", "--batch") // ends with Close
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, &gitError{"cat-file", "", err}
	}
	return &batch{cmd, in, bufio.NewReaderSize(out, 64<<10)}, nil
}

func (b *batch) close() {
	_ = b.in.Close()
	_ = b.cmd.Process.Kill() // it may still be writing a large blob
	_ = b.cmd.Wait()
}

// read takes one answer: "<oid> <type> <size>\n<bytes>\n" or "<oid> missing\n".
func (b *batch) read(oid string) (facts.Blob, error) {
	if _, err := io.WriteString(b.in, oid+"\n"); err != nil {
		return facts.Blob{}, err
	}
	line, err := b.out.ReadString('\n')
	if err != nil {
		return facts.Blob{}, err
	}
	f := strings.Fields(line)
	if len(f) == 2 && f[1] == "missing" {
		return facts.Blob{Absent: true}, nil
	}
	if len(f) != 3 || f[0] != oid {
		return facts.Blob{}, fmt.Errorf("git cat-file: unknown answer")
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size < 0 {
		return facts.Blob{}, fmt.Errorf("git cat-file: unknown size")
	}
	if size > facts.MaxBlob || f[1] != "blob" {
		if _, err := io.CopyN(io.Discard, b.out, size+1); err != nil {
			return facts.Blob{}, err
		}
		return facts.Blob{TooLarge: f[1] == "blob", Absent: f[1] != "blob"}, nil
	}
	raw := make([]byte, size+1)
	if _, err := io.ReadFull(b.out, raw); err != nil {
		return facts.Blob{}, err
	}
	return facts.Blob{Bytes: raw[:size]}, nil
}

// Open streams a dataset's blob. It is a bytestore.Opener.
func (r *Repo) Open(ctx context.Context, req facts.ScanRequest) (io.ReadCloser, int64, error) {
	if !isOID(req.OID) || req.Repository != "" {
		return nil, 0, bytestore.ErrAbsent
	}
	out, err := r.git(ctx, strings.NewReader(req.OID+"\n"), "cat-file", "--batch-check=%(objecttype) %(objectsize)")
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", req.Path, err)
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	size, err := strconv.ParseInt(rest, 10, 64)
	if kind != "blob" || err != nil {
		return nil, 0, bytestore.ErrAbsent
	}
	cmd := r.command(ctx, "cat-file", "blob", req.OID)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, 0, err
	}
	if err := cmd.Start(); err != nil {
		return nil, 0, &gitError{"cat-file", "", err}
	}
	return &stream{pipe, cmd}, size, nil
}

// stream is a running git's output; closing it ends git.
type stream struct {
	io.Reader
	cmd *exec.Cmd
}

func (s *stream) Close() error {
	_ = s.cmd.Process.Kill() // has ended already if all was read
	_ = s.cmd.Wait()
	return nil
}
