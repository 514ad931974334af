package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pilotgate/pilotgate/internal/bytestore/bucket"
)

// maxKeyFile is the largest file that can hold an access key, in bytes.
const maxKeyFile = 4 << 10

// openStores reads the stores' keys; nothing is sent. Errors never hold a key.
func openStores(ctx context.Context, stores []Store) (*bucket.Stores, error) {
	var out []bucket.Store
	for _, s := range stores {
		id, err := readKeyFile(s.AccessKeyFile)
		if err != nil {
			return nil, fmt.Errorf("store %s: access_key_file: %w", s.Bucket, err)
		}
		secret, err := readKeyFile(s.SecretKeyFile)
		if err != nil {
			return nil, fmt.Errorf("store %s: secret_key_file: %w", s.Bucket, err)
		}
		out = append(out, bucket.Store{Bucket: s.Bucket, Endpoint: s.Endpoint, Region: s.Region, AccessKey: id, SecretKey: secret, Repositories: s.Repositories})
	}
	return bucket.Open(ctx, out)
}

// readKeyFile reads one line; "" names no file.
func readKeyFile(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	key := strings.TrimSpace(string(raw))
	switch {
	case len(raw) > maxKeyFile:
		return "", errors.New(path + " is larger than 4 KiB")
	case key == "" || strings.ContainsAny(key, "\r\n"):
		return "", errors.New(path + " does not hold one line")
	}
	return key, nil
}
