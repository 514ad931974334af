package gh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
	"github.com/palantir/go-githubapp/githubapp"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/lfs"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// stores are where datasets lie that are no blobs.
type stores struct {
	web     string // https://github.com, without a slash
	lfs     *lfs.Client
	objects func(facts.Repository) bytestore.Opener
}

func newStores(config Config, v3 string) (*stores, error) {
	web, err := webURL(config.GitHub, v3)
	if err != nil {
		return nil, err
	}
	return &stores{web, lfs.New(lfs.Options{Transport: config.Transport}), config.Objects}, nil
}

// webURL is where GitHub's repositories are: as configured, else where the API's
// address says (api.github.com, api.acme.ghe.com, or a host with both).
func webURL(g githubapp.Config, v3 string) (string, error) {
	if g.WebURL != "" {
		u, err := url.Parse(g.WebURL)
		if err != nil || u.Host == "" {
			return "", fmt.Errorf("github: web_url %q is no address", g.WebURL)
		}
		return strings.TrimSuffix(g.WebURL, "/"), nil
	}
	u, err := url.Parse(v3)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("github: %q is no API address", v3)
	}
	return u.Scheme + "://" + strings.TrimPrefix(u.Host, "api."), nil
}

// source opens the datasets of one repository. What it does not answer for good
// is a trouble that time mends.
func (c *Client) source(i *installation, r facts.Repository) bytestore.Source {
	s := bytestore.Source{
		Blob: func(ctx context.Context, req facts.ScanRequest) (io.ReadCloser, int64, error) {
			if !isOID(req.OID) || req.Repository != "" && req.Repository != r.FullName() {
				return nil, 0, bytestore.ErrAbsent
			}
			if b, ok := c.blobs.get(object{r.ID, req.OID}); ok && !b.Absent && !b.TooLarge {
				return io.NopCloser(bytes.NewReader(b.Bytes)), int64(len(b.Bytes)), nil
			}
			return c.openBlob(ctx, i, r, req.OID)
		},
		LFS: func(ctx context.Context, _ facts.ScanRequest, p bytestore.Pointer) (io.ReadCloser, int64, error) {
			return mendable(c.stores.lfs.Open(ctx, lfs.Store{
				URL:   fmt.Sprintf("%s/%s/%s.git/info/lfs", c.stores.web, url.PathEscape(r.Owner), url.PathEscape(r.Name)),
				Token: func(ctx context.Context) (string, error) { return c.readToken(ctx, i, r) },
			}, p))
		},
	}
	if c.stores.objects != nil {
		s.Object = func(ctx context.Context, req facts.ScanRequest) (io.ReadCloser, int64, error) {
			return mendable(c.stores.objects(r)(ctx, req))
		}
	}
	return s
}

// readToken is a token that can do nothing but read this one repository.
func (c *Client) readToken(ctx context.Context, i *installation, r facts.Repository) (string, error) {
	app, err := c.creator.NewAppClient()
	if err != nil {
		return "", fmt.Errorf("make a client of the App: %s", redact(err.Error()))
	}
	k := c.call(i, "POST /app/installations/{installation_id}/access_tokens")
	ctx, cancel := context.WithTimeout(k.context(ctx), answerTime)
	defer cancel()
	token, _, err := app.Apps.CreateInstallationToken(ctx, i.id, &github.InstallationTokenOptions{
		RepositoryIDs: []int64{r.ID}, Permissions: &github.InstallationPermissions{Contents: github.String("read")},
	})
	if err != nil {
		return "", k.sort(err)
	}
	return token.GetToken(), nil
}

// mendable marks a store's trouble, on opening and while the body is read, as
// one that time mends. An answer for good stays to be seen in it.
func mendable(body io.ReadCloser, size int64, err error) (io.ReadCloser, int64, error) {
	if err != nil {
		return nil, 0, later(err)
	}
	return &mending{body}, size, nil
}

type mending struct{ io.ReadCloser }

func (m *mending) Read(b []byte) (int, error) {
	n, err := m.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = later(err)
	}
	return n, err
}

// Version implements bytestore.Versioned.
func (m *mending) Version() string {
	if v, ok := m.ReadCloser.(bytestore.Versioned); ok {
		return v.Version()
	}
	return ""
}

func later(err error) error {
	if class, _ := queue.Classify(err); class != queue.ClassOurs || errors.Is(err, context.Canceled) {
		return err
	}
	var after time.Duration
	var busy *lfs.Busy
	if errors.As(err, &busy) {
		after = busy.After
	}
	return queue.Transient(&redacted{"read dataset", err}, after)
}
