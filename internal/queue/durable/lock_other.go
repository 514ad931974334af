//go:build !unix

package durable

import (
	"errors"
	"math"
	"os"
)

// lock makes a file that must not be there. After a crash the operator takes
// it away.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.Join(ErrInUse, err)
	}
	return func() error { return errors.Join(f.Close(), os.Remove(path)) }, nil
}

// free is not known here: the engine's own errors are what is left.
func free(string) (uint64, error) { return math.MaxUint64, nil }
