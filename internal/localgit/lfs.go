package localgit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

// keepPointers puts Git LFS pointers back that hashing without filters replaced
// by the file itself: on disk is the object, in git is its pointer, and they are
// the same file if size and sha256 agree.
func (r *Repo) keepPointers(ctx context.Context) error {
	out, err := r.git(ctx, nil, "diff-index", "--cached", "--raw", "--no-renames", "--no-abbrev", "-z", "--diff-filter=M", "HEAD")
	if err != nil {
		return nil //nolint:nilerr // no HEAD yet: nothing to put back
	}
	var back bytes.Buffer
	fields := strings.Split(string(out), "\x00")
	for i := 0; i+1 < len(fields); i += 2 { // ":<mode> <mode> <oid> <oid> M", path
		f := strings.Fields(fields[i])
		if len(f) != 5 || !isOID(f[2]) {
			continue
		}
		blob, err := r.Blob(ctx, f[2])
		if err != nil {
			return err
		}
		p, ok := bytestore.ParsePointer(blob.Bytes)
		if !ok || !sameFile(filepath.Join(r.dir, filepath.FromSlash(fields[i+1])), p) {
			continue
		}
		back.WriteString(f[1] + " " + f[2] + "\t" + fields[i+1] + "\x00")
	}
	if back.Len() == 0 {
		return nil
	}
	_, err = r.git(ctx, &back, "update-index", "-z", "--index-info")
	return err
}

// object opens a pointer's object as git-lfs keeps it in the repository, under
// the first four digits of its sha256 (git-lfs-config(5), lfs.storage); the bytes
// are held against the pointer while they are read. What is not there was not
// fetched: nothing here asks a server.
func (r *Repo) object(ctx context.Context, _ facts.ScanRequest, p bytestore.Pointer) (io.ReadCloser, int64, error) {
	store := filepath.Join(r.common, "lfs")
	if out, err := r.git(ctx, nil, "config", "--type=path", "lfs.storage"); err == nil {
		if given := strings.TrimSpace(string(out)); filepath.IsAbs(given) {
			store = given
		} else if given != "" {
			store = filepath.Join(r.common, given)
		}
	}
	file, err := os.Open(filepath.Join(store, "objects", p.OID[:2], p.OID[2:4], p.OID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, bytestore.ErrAbsent
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open Git LFS object: %w", err)
	}
	info, err := file.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		err = bytestore.ErrAbsent
	case info.Size() != p.Size:
		err = bytestore.ErrDiffers
	default:
		return p.Verified(file), p.Size, nil
	}
	_ = file.Close() // only read
	return nil, 0, err
}

func sameFile(path string, p bytestore.Pointer) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() != p.Size {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return false
	}
	return hex.EncodeToString(sum.Sum(nil)) == p.OID
}
