// Package lfs reads objects of a repository's own Git LFS store
// (github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md).
//
// The store is asked where the object is; its answer may name another host, and
// that is the one hop that is followed: https, to a public address, with the
// headers of the answer and nothing of ours. The bytes are held against the
// pointer's size and sha256 while they pass.
//
// The package must not take a store's address from a repository's files
// (.lfsconfig is not read), must not show the token to anybody but the store,
// and must not put a signed address into an error.
package lfs

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/resume"
)

const (
	media = "application/vnd.git-lfs+json"
	// maxAnswer caps the batch answer for one object, in bytes.
	maxAnswer = 64 << 10
	// maxHeaders caps what an answer may add to the download's request.
	maxHeaders = 32
	// answerTime is how long the store may take to say where the object is.
	answerTime = 30 * time.Second
)

// Options of a Client. The zero value is production.
type Options struct {
	// Transport carries requests to the store's own host [http.DefaultTransport].
	Transport http.RoundTripper
	// Elsewhere carries requests to hosts that a batch answer names [Outward].
	Elsewhere http.RoundTripper
}

// Client reads from Git LFS stores. It is safe for concurrent use.
type Client struct{ own, elsewhere *http.Client }

// New sends nothing.
func New(o Options) *Client {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Elsewhere == nil {
		o.Elsewhere = Outward(Allow{})
	}
	client := func(t http.RoundTripper) *http.Client {
		return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is an answer of its own, and refused
		}}
	}
	return &Client{client(o.Transport), client(o.Elsewhere)}
}

// Store is one repository's LFS store.
type Store struct {
	URL string // https://github.com/acme/pilots.git/info/lfs
	// Token is asked before each batch request: a download may outlive one.
	Token func(context.Context) (string, error)
}

// Busy says that the store wants us to come back later.
type Busy struct {
	Status int
	After  time.Duration // 0: it did not say
}

func (e *Busy) Error() string { return fmt.Sprintf("Git LFS store is busy (%d)", e.Status) }

// Open opens the object of a pointer. Here or while reading it answers
// bytestore's ErrAbsent, ErrTooLarge, ErrRefused, ErrAddress or ErrDiffers where
// that is so for good.
func (c *Client) Open(ctx context.Context, s Store, p bytestore.Pointer) (io.ReadCloser, int64, error) {
	if p.Size > bytestore.MaxObject {
		return nil, 0, bytestore.ErrTooLarge
	}
	body, err := resume.Open(ctx, p.Size, func(ctx context.Context, from int64) (io.ReadCloser, error) {
		at, err := c.where(ctx, s, p) // asked for each part: addresses expire within minutes
		if err != nil {
			return nil, err
		}
		return c.download(ctx, s, at, from, p.Size)
	})
	if err != nil {
		return nil, 0, err
	}
	return p.Verified(body), p.Size, nil
}

// action is where the batch answer says that the object is.
type action struct {
	Href   string            `json:"href"`
	Header map[string]string `json:"header"`
}

type object struct {
	OID     string             `json:"oid"`
	Size    int64              `json:"size"`
	Actions map[string]*action `json:"actions,omitempty"`
	Error   *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// where asks the store.
func (c *Client) where(ctx context.Context, s Store, p bytestore.Pointer) (*action, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	token, err := s.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a token for Git LFS: %w", err)
	}
	ask, err := json.Marshal(map[string]any{
		"operation": "download", "transfers": []string{"basic"}, "hash_algo": "sha256",
		"objects": []object{{OID: p.OID, Size: p.Size}},
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/objects/batch", bytes.NewReader(ask))
	if err != nil {
		return nil, errors.New("the Git LFS store's address is none")
	}
	req.Header.Set("Accept", media)
	req.Header.Set("Content-Type", media)
	req.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token)))
	resp, err := c.own.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Git LFS: %w", bare(err))
	}
	defer resp.Body.Close() // read to its end, or given up
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask Git LFS: %w", answered(resp))
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read Git LFS's answer: %w", bare(err))
	}
	if len(raw) > maxAnswer {
		return nil, fmt.Errorf("read Git LFS's answer: over %d bytes", maxAnswer)
	}
	return readAnswer(raw, p)
}

// readAnswer finds the one object that was asked for.
func readAnswer(raw []byte, p bytestore.Pointer) (*action, error) {
	var got struct {
		Transfer string   `json:"transfer"`
		Hash     string   `json:"hash_algo"`
		Objects  []object `json:"objects"`
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return nil, errors.New("read Git LFS's answer: not what the batch API answers")
	}
	if got.Transfer != "" && got.Transfer != "basic" || got.Hash != "" && got.Hash != "sha256" {
		return nil, errors.New("read Git LFS's answer: a transfer that was not asked for")
	}
	if len(got.Objects) != 1 || got.Objects[0].OID != p.OID {
		return nil, errors.New("read Git LFS's answer: another object than was asked for")
	}
	o := got.Objects[0]
	if o.Error != nil {
		switch o.Error.Code {
		case http.StatusNotFound, http.StatusGone:
			return nil, bytestore.ErrAbsent
		case http.StatusConflict, http.StatusUnprocessableEntity: // the pointer's size is not the object's
			return nil, bytestore.ErrDiffers
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusPaymentRequired:
			return nil, bytestore.ErrRefused
		}
		return nil, &Busy{Status: o.Error.Code}
	}
	at := o.Actions["download"]
	if at == nil {
		return nil, bytestore.ErrAbsent
	}
	if o.Size != p.Size {
		return nil, bytestore.ErrDiffers
	}
	if len(at.Header) > maxHeaders {
		return nil, fmt.Errorf("read Git LFS's answer: over %d headers", maxHeaders)
	}
	return at, nil
}

// ours are the headers of a download that an answer cannot set.
var ours = map[string]bool{
	"Host": true, "Range": true, "If-Range": true, "Connection": true, "Upgrade": true, "Te": true,
	"Transfer-Encoding": true, "Content-Length": true, "Accept-Encoding": true, "Proxy-Authorization": true,
}

// download opens the object, which has size bytes, from a byte on.
func (c *Client) download(ctx context.Context, s Store, at *action, from, size int64) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.Href, http.NoBody)
	if err != nil {
		return nil, bytestore.ErrAddress
	}
	if req.URL.Scheme != "https" || req.URL.User != nil || req.URL.Host == "" {
		return nil, bytestore.ErrAddress
	}
	for k, v := range at.Header {
		if !ours[http.CanonicalHeaderKey(k)] {
			req.Header.Set(k, v)
		}
	}
	req.Header.Set("Accept-Encoding", "identity") // ranges and hashes are of the object, not of a packing
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	client := c.elsewhere
	if own, err := url.Parse(s.URL); err == nil && own.Scheme == req.URL.Scheme && own.Host == req.URL.Host {
		client = c.own // configured by the operator, so it may be a private address
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("download from %s: %w", req.URL.Hostname(), bare(err))
	}
	if err := begins(resp, from, size); err != nil {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("download from %s: %w", req.URL.Hostname(), err)
	}
	return resp.Body, nil
}

// begins brings a download's answer to the wanted byte.
func begins(resp *http.Response, from, size int64) error {
	whole := resp.ContentLength
	switch {
	case resp.Header.Get("Content-Encoding") != "" && resp.Header.Get("Content-Encoding") != "identity":
		return errors.New("packed, which was not asked for")
	case resp.StatusCode == http.StatusPartialContent && from > 0:
		want := fmt.Sprintf("bytes %d-%d/", from, size-1)
		if got := resp.Header.Get("Content-Range"); got != want+strconv.FormatInt(size, 10) && got != want+"*" {
			return fmt.Errorf("another range than was asked for: %w", bytestore.ErrDiffers)
		}
		return nil
	case resp.StatusCode != http.StatusOK:
		return answered(resp)
	case whole >= 0 && whole != size:
		return fmt.Errorf("%d bytes instead of %d: %w", whole, size, bytestore.ErrDiffers)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, from); err != nil { // all of it: some stores know no ranges
		return fmt.Errorf("skip what was read: %w", bare(err))
	}
	return nil
}

// answered sorts a status that is no success.
func answered(resp *http.Response) error {
	switch s := resp.StatusCode; {
	case s >= 300 && s < 400: // no second hop
		return fmt.Errorf("redirected (%d): %w", s, bytestore.ErrAddress)
	case s == http.StatusNotFound, s == http.StatusGone:
		return bytestore.ErrAbsent
	case s == http.StatusRequestedRangeNotSatisfiable: // the object is shorter than its pointer says
		return bytestore.ErrDiffers
	case s == http.StatusTooManyRequests, s >= 500:
		n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || n < 0 {
			n = 0
		}
		return &Busy{s, min(time.Duration(min(n, 24*60*60))*time.Second, time.Hour)}
	case s == http.StatusForbidden, s == http.StatusPaymentRequired: // also: the quota is used up
		return bytestore.ErrRefused
	}
	return fmt.Errorf("answered %d", resp.StatusCode)
}

// bare is an error without the address, whose query may be a signature.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
