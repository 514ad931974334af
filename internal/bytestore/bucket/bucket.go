// Package bucket reads objects from the object stores that the server's
// configuration names.
//
// One read is of one version: where the store keeps versions it is pinned by its
// id, elsewhere by its entity tag, and an object that is replaced meanwhile is
// bytestore.ErrChanged, never a mixture. Redirects are not followed, since they
// lead to another bucket or another region's.
//
// The package must not open a bucket that is not configured for the repository,
// whatever an address or a policy says, must not take an endpoint or a credential from an address, and must not
// write.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/resume"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// Store is a bucket, or the part of one under a prefix, and how it is reached.
type Store struct {
	Bucket   string // s3://name or s3://name/prefix
	Endpoint string // URL; "": the provider's own
	Region   string // "": us-east-1
	// AccessKey and SecretKey; both "": what the process's environment gives it.
	AccessKey, SecretKey string
	// Repositories may read it, for the keys are the server's and each
	// repository's policy allows itself what it likes: "owner/name", "owner/*", a
	// repository's id, which outlives renames, or "*" for all. None: nobody.
	Repositories []string
}

// Stores are the buckets that this server may read.
type Stores struct{ open []*opened }

type opened struct {
	prefix       string // "s3://name/" or "s3://name/prefix/"
	repositories []string
	bucket       *blob.Bucket
	kind         kind
}

// reads says whether a repository may read the store.
func (o *opened) reads(r facts.Repository) bool {
	return slices.ContainsFunc(o.repositories, func(entry string) bool {
		owner, all := strings.CutSuffix(entry, "/*")
		return entry == "*" || entry == strconv.FormatInt(r.ID, 10) || strings.EqualFold(entry, r.FullName()) || all && strings.EqualFold(owner, r.Owner)
	})
}

// kind is what differs between providers.
type kind struct {
	// version is the id under which the store keeps these very bytes, "" for none.
	version func(*blob.Attributes) string
	// pin makes a read one of this version, or else of this entity tag.
	pin func(as func(any) bool, version, etag string)
	// status is the HTTP status inside an error, 0 for none.
	status func(error) int
}

// Open checks the configuration; it sends nothing.
func Open(ctx context.Context, stores []Store) (*Stores, error) {
	out := &Stores{}
	for _, s := range stores {
		o, err := open(ctx, s)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open store %s: %w", s.Bucket, err), out.Close())
		}
		out.open = append(out.open, o)
	}
	return out, nil
}

func open(ctx context.Context, s Store) (*opened, error) {
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(s.Bucket, "/"), "://")
	name, prefix, _ := strings.Cut(rest, "/")
	if !plain(rest) || name == "" {
		return nil, errors.New("a bucket is written s3://name or s3://name/prefix")
	}
	if (s.AccessKey == "") != (s.SecretKey == "") {
		return nil, errors.New("an access key and a secret key belong together")
	}
	for _, entry := range s.Repositories {
		if !isRepositories(entry) {
			return nil, fmt.Errorf("%q in repositories is no owner/name, owner/*, id or *", entry)
		}
	}
	o := &opened{prefix: scheme + "://" + name + "/", repositories: s.Repositories}
	if prefix != "" {
		o.prefix += prefix + "/"
	}
	var err error
	switch scheme {
	case "s3":
		o.bucket, err = openS3(ctx, name, s)
		o.kind = s3Kind
	default:
		return nil, fmt.Errorf("no object store is known by %q", scheme)
	}
	return o, err
}

// isRepositories says whether an entry can name repositories at all: letters,
// digits and signs as GitHub allows them.
func isRepositories(entry string) bool {
	if id, err := strconv.ParseInt(entry, 10, 64); entry == "*" || err == nil && id > 0 {
		return true
	}
	owner, name, _ := strings.Cut(entry, "/")
	word := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return r > 'z' || !strings.ContainsRune("-_.", r) && (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9')
		})
	}
	return word(owner) && (name == "*" || word(name))
}

// Close ends all connections.
func (s *Stores) Close() error {
	var errs []error
	for _, o := range s.open {
		errs = append(errs, o.bucket.Close())
	}
	return errors.Join(errs...)
}

// maxURI caps an address, in bytes; S3's keys are at most 1,024.
const maxURI = 1200

// plain tells a path that can be read in one way only: no query, escape, dot or
// empty segment.
func plain(path string) bool {
	if len(path) > maxURI || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`?#%\@`, r) }) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "" || s == "." || s == ".." })
}

// attributesTime is how long a store may take to say what it has.
const attributesTime = 30 * time.Second

// For opens the objects that a repository may read. The opener's body is
// bytestore.Versioned. On opening or while it is read the answer may be
// bytestore's ErrNoStore, ErrAbsent, ErrTooLarge, ErrRefused, ErrAddress or
// ErrChanged, for good.
func (s *Stores) For(r facts.Repository) bytestore.Opener {
	return func(ctx context.Context, req facts.ScanRequest) (io.ReadCloser, int64, error) {
		return s.object(ctx, r, req)
	}
}

func (s *Stores) object(ctx context.Context, repository facts.Repository, req facts.ScanRequest) (io.ReadCloser, int64, error) {
	_, path, _ := strings.Cut(req.URI, "://")
	i := slices.IndexFunc(s.open, func(o *opened) bool { return strings.HasPrefix(req.URI, o.prefix) && o.reads(repository) })
	if i < 0 || !plain(path) {
		return nil, 0, bytestore.ErrNoStore
	}
	o := s.open[i]
	_, key, _ := strings.Cut(path, "/")
	asked, cancel := context.WithTimeout(ctx, attributesTime)
	defer cancel()
	is, err := o.bucket.Attributes(asked, key)
	if err != nil {
		return nil, 0, o.kind.sort(err)
	}
	if is.Size > bytestore.MaxObject {
		return nil, 0, bytestore.ErrTooLarge
	}
	version := o.kind.version(is)
	body, err := resume.Open(ctx, is.Size, func(ctx context.Context, from int64) (io.ReadCloser, error) {
		r, err := o.bucket.NewRangeReader(ctx, key, from, -1, &blob.ReaderOptions{
			BeforeRead: func(as func(any) bool) error {
				o.kind.pin(as, version, is.ETag)
				return nil
			},
		})
		if err != nil {
			if err = o.kind.sort(err); errors.Is(err, bytestore.ErrAbsent) {
				err = bytestore.ErrChanged // it was there a moment ago
			}
			return nil, err
		}
		if r.Size() != is.Size || !r.ModTime().Equal(is.ModTime) { // a store that ignores what was pinned
			_ = r.Close()
			return nil, bytestore.ErrChanged
		}
		return r, nil
	})
	if err != nil {
		return nil, 0, err
	}
	return &versioned{body, version}, is.Size, nil
}

type versioned struct {
	*resume.Reader
	version string
}

// Version implements bytestore.Versioned.
func (v *versioned) Version() string { return v.version }

// sort turns what the store says for good into bytestore's answers. The status
// decides: the driver takes any S3 error whose text has "301" in it, a request
// id included, for a missing bucket.
func (k kind) sort(err error) error {
	switch status := k.status(err); {
	case status == 404 || status == 410:
		return bytestore.ErrAbsent
	case status == 401 || status == 403:
		return bytestore.ErrRefused
	case status >= 300 && status < 400:
		return bytestore.ErrAddress
	case status == 412 || status == 416:
		return bytestore.ErrChanged
	case status != 0:
		return fmt.Errorf("object store answered %d", status)
	case gcerrors.Code(err) == gcerrors.Canceled:
		return context.Canceled
	}
	return fmt.Errorf("object store: %w", err)
}
