package bytestore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/facts"
)

const object = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"

func pointer(oid, size string) string {
	return "version https://git-lfs.github.com/spec/v1\noid sha256:" + oid + "\nsize " + size + "\n"
}

func TestParsePointer(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"pointer":              {pointer(object, "12345"), true},
		"with an extension":    {"version https://git-lfs.github.com/spec/v1\next-0-x y\noid sha256:" + object + "\nsize 1\n", true},
		"empty":                {"", false},
		"a record":             {`{"input": "version https://git-lfs.github.com/spec/v1"}`, false},
		"short id":             {pointer(object[1:], "1"), false},
		"upper-case id":        {pointer(strings.ToUpper(object), "1"), false},
		"size beyond int64":    {pointer(object, "9999999999999999999"), false},
		"negative size":        {pointer(object, "-1"), false},
		"no final newline":     {strings.TrimSuffix(pointer(object, "1"), "\n"), false},
		"something after it":   {pointer(object, "1") + "{}\n", false},
		"another version":      {strings.Replace(pointer(object, "1"), "spec/v1", "spec/v2", 1), false},
		"longer than the peek": {pointer(object, "1") + strings.Repeat("\n", 200), false},
	} {
		t.Run(name, func(t *testing.T) {
			p, ok := bytestore.ParsePointer([]byte(c.text))
			assert.Equal(t, c.ok, ok)
			if ok {
				assert.Equal(t, object, p.OID)
			}
		})
	}
}

func FuzzParsePointer(f *testing.F) {
	f.Add([]byte(pointer(object, "12345")))
	f.Add([]byte(pointer(object, "-1")))
	f.Add([]byte("version "))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := bytestore.ParsePointer(b)
		if ok && (len(p.OID) != 64 || p.Size < 0 || len(b) >= 200) {
			t.Fatalf("%q gave %+v", b, p)
		}
	})
}

type closed struct {
	io.Reader
	yes *bool
}

func (c closed) Close() error { *c.yes = true; return nil }

func blob(text string, isClosed *bool) bytestore.Opener {
	return func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
		return closed{strings.NewReader(text), isClosed}, int64(len(text)), nil
	}
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	req := facts.ScanRequest{Path: "data/a.jsonl", OID: "b1", Size: 10}

	t.Run("a blob comes whole and is closed by the reader", func(t *testing.T) {
		var isClosed bool
		text := strings.Repeat("{\"n\": 1}\n", 50_000)
		r, size, err := bytestore.Source{Blob: blob(text, &isClosed)}.Open(ctx, req)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
		assert.EqualValues(t, len(text), size)
		assert.False(t, isClosed)
		require.NoError(t, r.Close())
		assert.True(t, isClosed)
	})
	t.Run("a pointer without a store is the answer", func(t *testing.T) {
		var isClosed bool
		_, _, err := bytestore.Source{Blob: blob(pointer(object, "77"), &isClosed)}.Open(ctx, req)
		var p *bytestore.Pointer
		require.ErrorAs(t, err, &p)
		assert.Equal(t, bytestore.Pointer{OID: object, Size: 77}, *p)
		assert.True(t, isClosed)
	})
	t.Run("a pointer is followed into the store", func(t *testing.T) {
		var isClosed bool
		s := bytestore.Source{Blob: blob(pointer(object, "77"), &isClosed), LFS: func(_ context.Context, _ facts.ScanRequest, p bytestore.Pointer) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader("object " + p.OID)), p.Size, nil
		}}
		r, size, err := s.Open(ctx, req)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "object "+object, string(got))
		assert.EqualValues(t, 77, size)
	})
	t.Run("an empty blob is no pointer", func(t *testing.T) {
		var isClosed bool
		r, _, err := bytestore.Source{Blob: blob("", &isClosed)}.Open(ctx, req)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Empty(t, got)
	})
	t.Run("the cap", func(t *testing.T) {
		var isClosed bool
		s := bytestore.Source{Blob: blob("x", &isClosed)}
		at, over := req, req
		at.Size, over.Size = bytestore.MaxGitBlob, bytestore.MaxGitBlob+1
		_, _, err := s.Open(ctx, at)
		require.NoError(t, err)
		_, _, err = s.Open(ctx, over)
		assert.ErrorIs(t, err, bytestore.ErrTooLarge)
	})
	t.Run("no store", func(t *testing.T) {
		for _, r := range []facts.ScanRequest{{URI: "s3://b/k"}, {OID: "b1"}} {
			_, _, err := bytestore.Source{}.Open(ctx, r)
			assert.ErrorIs(t, err, bytestore.ErrNoStore, fmt.Sprint(r))
		}
	})
	t.Run("a broken read is no answer for good", func(t *testing.T) {
		broken := errors.New("line is down")
		s := bytestore.Source{Blob: func(context.Context, facts.ScanRequest) (io.ReadCloser, int64, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("ab"), failing{broken})), 5, nil
		}}
		_, _, err := s.Open(ctx, req)
		assert.ErrorIs(t, err, broken)
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
