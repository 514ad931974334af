// Package bytestore opens the bytes of a dataset, wherever they are kept.
//
// A Source knows one kind of place: git's blobs, a Git LFS store, a bucket. The
// way from a request to its place is Open: a blob is opened and, if its first
// bytes are a Git LFS pointer, the pointer is followed into Source.LFS. What a
// place answers for good (nothing there, larger than it serves, not ours to
// read, other bytes than were named) is a typed answer, on opening or while the
// bytes are read; anything else is an error that may pass.
//
// The package must not read a dataset whole, must not look into its records,
// and must not follow an address that a repository's author wrote: where a
// place is, its Source was told by the server's configuration.
package bytestore

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strconv"

	"github.com/pilotgate/pilotgate/internal/facts"
)

// Opener opens the bytes of one request; the size is in bytes, -1 if unknown.
type Opener func(ctx context.Context, req facts.ScanRequest) (r io.ReadCloser, size int64, err error)

// Answers that a place gives for good.
var (
	// ErrAbsent: nothing there, or not for us to see.
	ErrAbsent = errors.New("not there")
	// ErrTooLarge: more than the place serves.
	ErrTooLarge = errors.New("too large to be served")
	// ErrNoStore: a request for a place that this server has no Source for.
	ErrNoStore = errors.New("no store for this address")
	// ErrRefused: the place is there and does not let us read.
	ErrRefused = errors.New("refused by the store")
	// ErrAddress: the place sent us to an address that is not followed.
	ErrAddress = errors.New("sent to an address that is not followed")
	// ErrDiffers: other bytes than the ones that were named, by size or sha256.
	ErrDiffers = errors.New("not the bytes that were named")
	// ErrChanged: the object was replaced between two reads of it.
	ErrChanged = errors.New("changed while it was read")
)

// MaxGitBlob is the largest blob that GitHub serves: 100 MB
// (docs.github.com/rest/git/blobs).
const MaxGitBlob = 100 << 20

// MaxObject is the largest object that is read from Git LFS or a bucket: 64 GiB,
// a few minutes of scanning.
const MaxObject = 64 << 30

// Versioned is a body whose place keeps versions: equal versions of one address
// are equal bytes for ever. "" where it keeps none.
type Versioned interface{ Version() string }

// Pointer is a Git LFS pointer whose object could not be had.
type Pointer struct {
	OID  string // sha256 in hex, of the object
	Size int64  // bytes, as the pointer tells
}

func (p *Pointer) Error() string { return "Git LFS pointer to sha256:" + p.OID }

// Verified is a body that answers ErrDiffers in the place of io.EOF if its bytes
// are not the pointer's.
func (p *Pointer) Verified(body io.ReadCloser) io.ReadCloser {
	return &verified{body, sha256.New(), p.OID}
}

type verified struct {
	io.ReadCloser
	sum hash.Hash
	oid string
}

func (v *verified) Read(b []byte) (int, error) {
	n, err := v.ReadCloser.Read(b)
	v.sum.Write(b[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(v.sum.Sum(nil)) != v.oid {
		return n, fmt.Errorf("sha256: %w", ErrDiffers)
	}
	return n, err
}

// Source opens datasets. A nil field is a place that is not there to be read.
type Source struct {
	// Blob opens a git blob of the request's repository.
	Blob Opener
	// LFS opens the object of a pointer that was found in a blob; without it a
	// pointer is the answer.
	LFS func(ctx context.Context, req facts.ScanRequest, p Pointer) (io.ReadCloser, int64, error)
	// Object opens an object store's URI, which the policy of the base branch allowed.
	Object Opener
}

// Open answers ErrAbsent, ErrTooLarge, ErrNoStore or *Pointer where the place
// has answered for good.
func (s Source) Open(ctx context.Context, req facts.ScanRequest) (io.ReadCloser, int64, error) {
	if req.URI != "" {
		if s.Object == nil {
			return nil, 0, ErrNoStore
		}
		return s.Object(ctx, req)
	}
	if s.Blob == nil || req.OID == "" {
		return nil, 0, ErrNoStore
	}
	if req.Size > MaxGitBlob {
		return nil, 0, ErrTooLarge
	}
	body, size, err := s.Blob(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	buffered := bufio.NewReaderSize(body, 64<<10)
	first, err := buffered.Peek(maxPointer)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = body.Close()
		return nil, 0, fmt.Errorf("read first bytes: %w", err)
	}
	if p, ok := ParsePointer(first); ok {
		_ = body.Close()
		if s.LFS == nil {
			return nil, 0, &p
		}
		object, size, err := s.LFS(ctx, req, p)
		if errors.Is(err, ErrAbsent) { // the pointer is there, its object is not
			return nil, 0, &p
		}
		return object, size, err
	}
	return struct {
		io.Reader
		io.Closer
	}{buffered, body}, size, nil
}

// maxPointer is how many bytes a pointer can have; git-lfs says "less than 1024"
// and writes about 130, so a text that is longer is none of its own.
const maxPointer = 200

var pointerText = regexp.MustCompile(`\Aversion https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n\z`)

// ParsePointer tells whether a file that begins with these bytes is a Git LFS
// pointer (github.com/git-lfs/git-lfs/blob/main/docs/spec.md). The file must end
// within the bytes.
func ParsePointer(first []byte) (Pointer, bool) {
	if len(first) >= maxPointer || !bytes.HasPrefix(first, []byte("version ")) {
		return Pointer{}, false
	}
	m := pointerText.FindSubmatch(first)
	if m == nil {
		return Pointer{}, false
	}
	size, err := strconv.ParseInt(string(m[2]), 10, 64)
	if err != nil {
		return Pointer{}, false
	}
	return Pointer{OID: string(m[1]), Size: size}, true
}
