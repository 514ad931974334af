package localgit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pilotgate/pilotgate/internal/bytestore"
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
