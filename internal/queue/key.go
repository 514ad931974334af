package queue

import (
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Key names a subject at GitHub by numeric ids, which survive renames and
// transfers. It is comparable.
type Key struct {
	Installation int64
	Repository   int64  // 0 where the installation as a whole is meant
	Kind         string // KindPullRequest, ...
	ID           string // pull request number, pilot id, ...; may be empty
}

// The kinds of subjects.
const (
	KindPullRequest  = "pr"           // ID: number
	KindPilot        = "pilot"        // ID: pilot id
	KindRepository   = "repo"         // ID: empty
	KindGroup        = "group"        // a merge group; ID: head SHA, "/", base branch
	KindInstallation = "installation" // Repository 0, ID empty: everything that the installation sees
)

// Caps of a key's parts, in bytes. A branch name has at most 255, a SHA 64.
const (
	maxKind = 16
	maxID   = 330
	// maxKey is the longest String of a valid key: two int64, kind, base32 id.
	maxKey = 19 + 1 + 19 + 1 + maxKind + 1 + (maxID*8+4)/5
)

// noID stands for the empty id, because a subject has no empty token. It is no
// base32: that alphabet has no 0.
const noID = "0"

var idText = base32.StdEncoding.WithPadding(base32.NoPadding)

// ErrInvalid is a key that has no place in a queue.
var ErrInvalid = errors.New("invalid key")

// String is the key as four subject tokens: <installation>.<repository>.<kind>.<base32 id>.
// Only digits, lower-case kinds and base32 come out, so that nothing in an id
// can add a token or a wildcard.
func (k Key) String() string {
	id := noID
	if k.ID != "" {
		id = idText.EncodeToString([]byte(k.ID))
	}
	return strconv.FormatInt(k.Installation, 10) + "." + strconv.FormatInt(k.Repository, 10) + "." + k.Kind + "." + id
}

// Validate tells what keeps the key out of a queue; the error is an ErrInvalid.
func (k Key) Validate() error {
	switch {
	case k.Installation <= 0:
		return fmt.Errorf("%w: installation %d", ErrInvalid, k.Installation)
	case k.Repository < 0:
		return fmt.Errorf("%w: repository %d", ErrInvalid, k.Repository)
	case !isKind(k.Kind):
		return fmt.Errorf("%w: kind %.20q", ErrInvalid, k.Kind)
	case len(k.ID) > maxID:
		return fmt.Errorf("%w: id of %d bytes, at most %d", ErrInvalid, len(k.ID), maxID)
	}
	return nil
}

func isKind(s string) bool {
	if s == "" || len(s) > maxKind {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

// ParseKey reads what String wrote, and nothing else: ParseKey(s).String() == s.
func ParseKey(s string) (Key, error) {
	if len(s) > maxKey {
		return Key{}, fmt.Errorf("%w: %d bytes", ErrInvalid, len(s))
	}
	tokens := strings.Split(s, ".")
	if len(tokens) != 4 {
		return Key{}, fmt.Errorf("%w: %d tokens, not 4", ErrInvalid, len(tokens))
	}
	var k Key
	var err error
	if k.Installation, err = strconv.ParseInt(tokens[0], 10, 64); err != nil {
		return Key{}, fmt.Errorf("%w: installation is no number", ErrInvalid)
	}
	if k.Repository, err = strconv.ParseInt(tokens[1], 10, 64); err != nil {
		return Key{}, fmt.Errorf("%w: repository is no number", ErrInvalid)
	}
	k.Kind = tokens[2]
	if tokens[3] != noID {
		id, err := idText.DecodeString(tokens[3])
		if err != nil || len(id) == 0 {
			return Key{}, fmt.Errorf("%w: id is no base32", ErrInvalid)
		}
		k.ID = string(id)
	}
	if err := k.Validate(); err != nil {
		return Key{}, err
	}
	if k.String() != s { // "+1", "007", spare bits: one key, one spelling
		return Key{}, fmt.Errorf("%w: not in its own spelling", ErrInvalid)
	}
	return k, nil
}
