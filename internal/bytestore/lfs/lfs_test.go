package lfs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pilotgate/pilotgate/internal/bytestore"
	"github.com/pilotgate/pilotgate/internal/bytestore/lfs"
	"github.com/pilotgate/pilotgate/internal/bytestore/lfs/lfstest"
)

var ctx = context.Background()

// start is a store with one object of 300,000 bytes.
func start(t *testing.T) (*lfstest.Server, bytestore.Pointer, []byte) {
	t.Helper()
	s := lfstest.New()
	t.Cleanup(s.Close)
	object := make([]byte, 300_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range object {
		object[i] = byte(r.Uint32())
	}
	return s, bytestore.Pointer{OID: s.Put(object), Size: int64(len(object))}, object
}

// near may read from the storage host, which is on loopback.
func near(s *lfstest.Server) *lfs.Client {
	return lfs.New(lfs.Options{Transport: s.Transport(), Elsewhere: lfs.Outward(lfs.Allow{Loopback: true, Roots: s.Roots()})})
}

func at(s *lfstest.Server) lfs.Store {
	return lfs.Store{URL: s.URL(), Token: func(context.Context) (string, error) { return lfstest.Token, nil }}
}

func read(t *testing.T, c *lfs.Client, s lfs.Store, p bytestore.Pointer) ([]byte, error) {
	t.Helper()
	body, size, err := c.Open(ctx, s, p)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	assert.Equal(t, p.Size, size)
	return io.ReadAll(body)
}

func download(answer map[string]any) map[string]any {
	return answer["actions"].(map[string]any)["download"].(map[string]any)
}

func TestAnObjectIsRead(t *testing.T) {
	s, p, object := start(t)
	got, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
	assert.Equal(t, 1, s.Asked())
}

func TestAnEmptyObjectIsRead(t *testing.T) {
	s, _, _ := start(t)
	got, err := read(t, near(s), at(s), bytestore.Pointer{OID: s.Put(nil)})
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestOurTokenStaysWithTheStore(t *testing.T) {
	s, p, _ := start(t)
	_, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	require.Len(t, s.Downloads(), 1)
	for name, values := range s.Downloads()[0] {
		for _, v := range values {
			assert.NotContains(t, v, lfstest.Token, name)
			assert.NotContains(t, v, "eC1hY2Nlc3M", name) // base64 of its user
		}
	}
	assert.Equal(t, "RemoteAuth made-up-grant", s.Downloads()[0].Get("Authorization"), "what the answer gave")
}

func TestTheAnswerDoesNotSetOurHeaders(t *testing.T) {
	s, p, object := start(t)
	s.Answer = func(o map[string]any) {
		header := download(o)["header"].(map[string]string)
		header["range"], header["Accept-Encoding"], header["X-Trace"] = "bytes=5-", "gzip", "yes"
	}
	got, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
	assert.Equal(t, "identity", s.Downloads()[0].Get("Accept-Encoding"))
	assert.Equal(t, "yes", s.Downloads()[0].Get("X-Trace"))
}

func TestABrokenDownloadIsResumed(t *testing.T) {
	s, p, object := start(t)
	s.Cut = 130_000
	got, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
	var ranges []string
	for _, h := range s.Downloads() {
		ranges = append(ranges, h.Get("Range"))
	}
	assert.Equal(t, []string{"", "bytes=130000-", "bytes=260000-"}, ranges)
	assert.Equal(t, 3, s.Asked(), "an address expires, so each part asks for its own")
}

func TestAStoreWithoutRangesIsReadOver(t *testing.T) {
	s, p, object := start(t)
	s.NoRanges = true
	cuts := 0
	s.Storage = func(w http.ResponseWriter, _ *http.Request) bool {
		if cuts++; cuts > 1 {
			return false
		}
		w.Header().Set("Content-Length", "300000")
		_, _ = w.Write(object[:100_000])
		panic(http.ErrAbortHandler)
	}
	got, err := read(t, near(s), at(s), p)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(object, got))
}

func TestAnotherRangeIsNotTaken(t *testing.T) {
	s, p, object := start(t)
	first := true
	s.Storage = func(w http.ResponseWriter, _ *http.Request) bool {
		if first {
			first = false
			w.Header().Set("Content-Length", "300000")
			_, _ = w.Write(object[:100_000])
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Range", "bytes 5-299999/300000")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(object[5:])
		return true
	}
	_, err := read(t, near(s), at(s), p)
	assert.ErrorIs(t, err, bytestore.ErrDiffers)
}

func TestOtherBytesThanThePointers(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"one bit":    func(b []byte) []byte { b = bytes.Clone(b); b[150_000] ^= 1; return b },
		"one more":   func(b []byte) []byte { return append(bytes.Clone(b), 0) },
		"one less":   func(b []byte) []byte { return b[:len(b)-1] },
		"none":       func([]byte) []byte { return nil },
		"last byte":  func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
		"first byte": func(b []byte) []byte { b = bytes.Clone(b); b[0] ^= 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			s, p, object := start(t)
			s.Replace(p.OID, change(object))
			s.Answer = func(o map[string]any) { o["size"] = p.Size } // the store does not own up
			_, err := read(t, near(s), at(s), p)
			assert.ErrorIs(t, err, bytestore.ErrDiffers)
		})
	}
}

func TestAnswersForGood(t *testing.T) {
	refusal := func(code int) func(map[string]any) {
		return func(o map[string]any) {
			delete(o, "actions")
			o["error"] = map[string]any{"code": code, "message": "made up"}
		}
	}
	for name, c := range map[string]struct {
		answer  func(map[string]any)
		storage int
		want    error
	}{
		"no such object":          {answer: refusal(404), want: bytestore.ErrAbsent},
		"deleted":                 {answer: refusal(410), want: bytestore.ErrAbsent},
		"no action":               {answer: func(o map[string]any) { delete(o, "actions") }, want: bytestore.ErrAbsent},
		"gone from storage":       {storage: 404, want: bytestore.ErrAbsent},
		"not for us":              {answer: refusal(403), want: bytestore.ErrRefused},
		"quota used up":           {storage: 402, want: bytestore.ErrRefused},
		"another size":            {answer: func(o map[string]any) { o["size"] = 5 }, want: bytestore.ErrDiffers},
		"the pointer's size lies": {answer: refusal(422), want: bytestore.ErrDiffers},
	} {
		t.Run(name, func(t *testing.T) {
			s, p, _ := start(t)
			s.Answer = c.answer
			if c.storage != 0 {
				s.Storage = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(c.storage); return true }
			}
			_, err := read(t, near(s), at(s), p)
			assert.ErrorIs(t, err, c.want)
		})
	}
}

func TestWhatMayPassIsNoAnswer(t *testing.T) {
	answers := []error{bytestore.ErrAbsent, bytestore.ErrRefused, bytestore.ErrDiffers, bytestore.ErrAddress, bytestore.ErrTooLarge, bytestore.ErrChanged}
	for name, change := range map[string]func(*lfstest.Server){
		"storage is down": func(s *lfstest.Server) {
			s.Storage = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
		},
		"another object": func(s *lfstest.Server) { s.Answer = func(o map[string]any) { o["oid"] = strings.Repeat("ab", 32) } },
		"packed": func(s *lfstest.Server) {
			s.Storage = func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Encoding", "gzip")
				return false
			}
		},
		"an answer beyond its cap": func(s *lfstest.Server) {
			s.Answer = func(o map[string]any) { o["padding"] = strings.Repeat("x", 64<<10) }
		},
		"too many headers": func(s *lfstest.Server) {
			s.Answer = func(o map[string]any) {
				h := download(o)["header"].(map[string]string)
				for i := range 33 {
					h["X-"+string(rune('a'+i/26))+string(rune('a'+i%26))] = "1"
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p, _ := start(t)
			change(s)
			_, err := read(t, near(s), at(s), p)
			require.Error(t, err)
			for _, answer := range answers {
				assert.NotErrorIs(t, err, answer)
			}
		})
	}
	t.Run("a token that does not hold", func(t *testing.T) {
		s, p, _ := start(t)
		store := at(s)
		store.Token = func(context.Context) (string, error) { return "old", nil }
		_, err := read(t, near(s), store, p)
		assert.EqualError(t, err, "ask Git LFS: answered 401")
	})
	t.Run("no token", func(t *testing.T) {
		s, p, _ := start(t)
		store, down := at(s), errors.New("no token today")
		store.Token = func(context.Context) (string, error) { return "", down }
		_, err := read(t, near(s), store, p)
		require.ErrorIs(t, err, down)
		assert.Zero(t, s.Asked())
	})
}

func TestAStoreThatIsBusySaysForHowLong(t *testing.T) {
	s, p, _ := start(t)
	s.Storage = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "77")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	_, err := read(t, near(s), at(s), p)
	var busy *lfs.Busy
	require.ErrorAs(t, err, &busy)
	assert.EqualValues(t, 77, busy.After.Seconds())
}

func TestTheCap(t *testing.T) {
	s, p, _ := start(t)
	p.Size = bytestore.MaxObject
	_, err := read(t, near(s), at(s), p)
	require.ErrorIs(t, err, bytestore.ErrDiffers, "at the cap the store is asked")
	require.Equal(t, 1, s.Asked())
	p.Size++
	_, err = read(t, near(s), at(s), p)
	require.ErrorIs(t, err, bytestore.ErrTooLarge)
	assert.Equal(t, 1, s.Asked())
}

func TestAddressesThatAreNotFollowed(t *testing.T) {
	for name, href := range map[string]string{
		"cloud metadata":          "https://169.254.169.254/latest/meta-data/",
		"plain http":              "http://storage.example/objects/1",
		"a file":                  "file:///etc/hosts",
		"loopback":                "https://127.0.0.1:1/objects/1",
		"loopback by name":        "https://localhost:1/objects/1",
		"loopback in six":         "https://[::1]:1/objects/1",
		"loopback wrapped in six": "https://[::ffff:127.0.0.1]:1/objects/1",
		"metadata wrapped in six": "https://[64:ff9b::a9fe:a9fe]/latest/meta-data/",
		"a private network":       "https://10.0.0.7/objects/1",
		"somebody's name":         "https://user:word@storage.example/objects/1",
		"nothing":                 "",
		"no host":                 "https:///objects/1",
		"no address":              "https://storage.example:port/%zz",
	} {
		t.Run(name, func(t *testing.T) {
			s, p, _ := start(t)
			s.Answer = func(o map[string]any) { download(o)["href"] = href }
			strict := lfs.New(lfs.Options{Transport: s.Transport()})
			_, err := read(t, strict, at(s), p)
			require.ErrorIs(t, err, bytestore.ErrAddress)
			assert.Empty(t, s.Downloads())
		})
	}
	t.Run("the storage host of this very test", func(t *testing.T) {
		s, p, _ := start(t)
		_, err := read(t, lfs.New(lfs.Options{Transport: s.Transport(), Elsewhere: lfs.Outward(lfs.Allow{Roots: s.Roots()})}), at(s), p)
		require.ErrorIs(t, err, bytestore.ErrAddress)
		assert.Empty(t, s.Downloads())
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, to := range []string{"https://169.254.169.254/latest/meta-data/", "https://127.0.0.1/x", "/objects/elsewhere", "http://storage.example/x"} {
		t.Run(to, func(t *testing.T) {
			s, p, _ := start(t)
			s.Storage = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
				return true
			}
			_, err := read(t, near(s), at(s), p)
			require.ErrorIs(t, err, bytestore.ErrAddress)
			assert.Len(t, s.Downloads(), 1)
		})
	}
}

func TestASignedAddressIsInNoError(t *testing.T) {
	s, p, _ := start(t)
	for name, href := range map[string]string{
		"refused":     "https://127.0.0.1:1/objects/1?X-Amz-Signature=made-up-signature",
		"unreachable": s.StorageURL() + "1/objects/1?X-Amz-Signature=made-up-signature",
		"answered":    s.StorageURL() + "/none?X-Amz-Signature=made-up-signature",
	} {
		s.Answer = func(o map[string]any) { download(o)["href"] = href }
		for _, c := range []*lfs.Client{near(s), lfs.New(lfs.Options{Transport: s.Transport()})} {
			_, err := read(t, c, at(s), p)
			require.Error(t, err, name)
			assert.NotContains(t, err.Error(), "made-up", name)
		}
	}
}

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"140.82.121.4": true, "2606:50c0:8000::153": true, "8.8.8.8": true,
		"127.0.0.1": false, "::1": false, "0.0.0.0": false, "::": false, "10.1.2.3": false, "172.16.0.1": false, "172.32.0.1": true,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.128.0.1": true, "fe80::1": false, "fd00:ec2::254": false,
		"224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"64:ff9b::808:808": false, "2002:7f00:1::": false, "2001::1": false, "::7f00:1": false, "ff02::1": false,
	} {
		assert.Equal(t, want, lfs.Public(netip.MustParseAddr(text)), text)
	}
}

func TestClosingEndsTheDownload(t *testing.T) {
	s, p, _ := start(t)
	body, _, err := near(s).Open(ctx, at(s), p)
	require.NoError(t, err)
	_, err = io.ReadFull(body, make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.NoError(t, body.Close())
}

func FuzzAnswer(f *testing.F) {
	oid := hex.EncodeToString(sha256.New().Sum(nil))
	f.Add([]byte(`{"transfer":"basic","objects":[{"oid":"` + oid + `","size":0,"actions":{"download":{"href":"https://a.example/","header":{"A":"b"}}}}]}`))
	f.Add([]byte(`{"objects":[{"oid":"` + oid + `","error":{"code":404}}]}`))
	f.Add([]byte(`{"objects":[{"oid":"` + oid + `","size":0,"actions":{"download":null}}]}`))
	f.Add([]byte(`{"objects":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		at, err := lfs.ReadAnswer(raw, bytestore.Pointer{OID: oid})
		if at != "" && (err != nil || !strings.Contains(string(raw), oid)) {
			t.Fatalf("%q answered %q, %v", raw, at, err)
		}
	})
}
