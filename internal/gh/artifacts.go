package gh

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
	"github.com/pilotgate/pilotgate/internal/queue"
)

// artifacts lists what a run left: one page of 100, of all its attempts.
func (f *filling) artifacts(ctx context.Context, run int64) (facts.Artifacts, error) {
	var got struct {
		Artifacts []struct {
			ID          int64     `json:"id"`
			Name        string    `json:"name"`
			Size        int64     `json:"size_in_bytes"`
			Digest      string    `json:"digest"`
			Expired     bool      `json:"expired"`
			CreatedAt   time.Time `json:"created_at"`
			WorkflowRun struct {
				HeadSHA        string `json:"head_sha"`
				HeadRepository int64  `json:"head_repository_id"`
			} `json:"workflow_run"`
		} `json:"artifacts"`
	}
	_, err := f.call("GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts").get(ctx, f.path("actions/runs/%d/artifacts?per_page=100", run), &got)
	switch {
	case isAbsent(err):
		return facts.Artifacts{}, nil
	case err != nil:
		return facts.Artifacts{}, err
	}
	var out facts.Artifacts
	for _, a := range got.Artifacts {
		out.List = append(out.List, facts.ArtifactInfo{
			ID: a.ID, Name: a.Name, Size: a.Size, Digest: a.Digest, Expired: a.Expired, CreatedAt: a.CreatedAt,
			HeadOID: a.WorkflowRun.HeadSHA, HeadRepo: a.WorkflowRun.HeadRepository,
		})
	}
	return out, nil
}

// downloadTime is how long an artifact of MaxArtifact bytes may take.
const downloadTime = 2 * time.Minute

// artifact reads one artifact. GitHub's API answers with an address elsewhere,
// and that is the one hop that is followed: https, to a public address, without
// our token. An address at the configured API's own host is the operator's.
func (f *filling) artifact(ctx context.Context, id int64) (facts.Artifact, error) {
	key := object{f.to.Repository.ID, fmt.Sprintf("artifact %d", id)}
	if a, ok := f.client.artifacts.get(key); ok {
		return a, nil
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	k := f.call("GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}")
	at, err := f.whereIs(ctx, k, id)
	switch {
	case isAbsent(err):
		return facts.Artifact{Absent: true}, nil
	case err != nil:
		return facts.Artifact{}, err
	}
	raw, err := f.client.download(ctx, at)
	switch {
	case errors.Is(err, bytestore.ErrTooLarge):
		return facts.Artifact{TooLarge: true}, nil
	case err != nil: // an address expires within a minute, and the next look asks for another
		return facts.Artifact{}, queue.Transient(&redacted{k.route, err}, 0)
	}
	a := unpack(raw)
	f.client.artifacts.put(key, a, int64(len(raw))+unpackedSize(a)+256)
	return a, nil
}

// whereIs asks GitHub for an artifact's address.
func (f *filling) whereIs(ctx context.Context, k *call, id int64) (*http.Request, error) {
	var at string
	err := k.send(ctx, func(ctx context.Context, rest *github.Client) error {
		req, err := rest.NewRequest(http.MethodGet, f.path("actions/artifacts/%d/zip", id), nil)
		if err != nil {
			return err
		}
		client := rest.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close() // a redirect's body says nothing
		if resp.StatusCode != http.StatusFound {
			if err := github.CheckResponse(resp); err != nil {
				return err
			}
			return fmt.Errorf("status %d instead of an address", resp.StatusCode)
		}
		at = resp.Header.Get("Location")
		return nil
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil || req.URL.Host == "" || req.URL.User != nil {
		return nil, fmt.Errorf("%s: %w", k.route, bytestore.ErrAddress)
	}
	if req.URL.Scheme != "https" && !f.client.hosts[req.URL.Host] {
		return nil, fmt.Errorf("%s: %w", k.route, bytestore.ErrAddress)
	}
	return req, nil
}

// download reads what an address gives, at most MaxArtifact bytes.
func (c *Client) download(ctx context.Context, req *http.Request) ([]byte, error) {
	via := c.outward
	if c.hosts[req.URL.Host] {
		via = c.plain
	}
	client := &http.Client{Transport: via, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("download from %s: %w", req.URL.Hostname(), errors.Unwrap(err))
	}
	defer resp.Body.Close() // read to its end, or given up
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download from %s: status %d", req.URL.Hostname(), resp.StatusCode)
	}
	if resp.ContentLength > facts.MaxArtifact {
		return nil, bytestore.ErrTooLarge
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, facts.MaxArtifact+1))
	if err != nil {
		return nil, fmt.Errorf("download from %s: %w", req.URL.Hostname(), err)
	}
	if len(raw) > facts.MaxArtifact {
		return nil, bytestore.ErrTooLarge
	}
	return raw, nil
}

// unpack reads a zip within the caps. Its digest is known also where its
// content is not taken.
func unpack(raw []byte) facts.Artifact {
	sum := sha256.Sum256(raw)
	a := facts.Artifact{SHA256: hex.EncodeToString(sum[:])}
	broken := facts.Artifact{SHA256: a.SHA256, Broken: true}
	large := facts.Artifact{SHA256: a.SHA256, TooLarge: true}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return broken
	}
	if len(z.File) > facts.MaxArtifactFiles {
		return large
	}
	left := int64(facts.MaxArtifactUnpacked)
	a.Files = map[string][]byte{}
	for _, x := range z.File {
		if x.FileInfo().IsDir() && validEntry(strings.TrimSuffix(x.Name, "/")) {
			continue
		}
		_, twice := a.Files[x.Name]
		if twice || !x.Mode().IsRegular() || !validEntry(x.Name) {
			return broken
		}
		data, err := readEntry(x, min(left, facts.MaxArtifactFile))
		switch {
		case errors.Is(err, bytestore.ErrTooLarge):
			return large
		case err != nil:
			return broken
		}
		left -= int64(len(data))
		a.Files[x.Name] = data
	}
	return a
}

// validEntry: a plain relative path.
func validEntry(name string) bool {
	return name != "" && path.Clean(name) == name && !strings.HasPrefix(name, "/") && name != ".." &&
		!strings.HasPrefix(name, "../") && !strings.ContainsAny(name, "\\\x00:")
}

func readEntry(x *zip.File, most int64) ([]byte, error) {
	r, err := x.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close() // its checksum is compared at the end of the data
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, bytestore.ErrTooLarge
	}
	return data, nil
}

func unpackedSize(a facts.Artifact) int64 {
	var n int64
	for name, data := range a.Files {
		n += int64(len(name) + len(data))
	}
	return n
}
