package fakegithub

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Transport answers requests inside the process, without a socket: for the
// demo, and for tests under testing/synctest. A lost answer is io.ErrUnexpectedEOF,
// as it is on a wire.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if l := t.s.latency(); l > 0 {
		timer := time.NewTimer(l)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	res, drop := t.s.serve(in)
	if r.Body != nil {
		_ = r.Body.Close()
	}
	if drop {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{
		Status: strconv.Itoa(res.status) + " " + http.StatusText(res.status), StatusCode: res.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: res.header, Body: io.NopCloser(bytes.NewReader(res.body)), ContentLength: int64(len(res.body)), Request: r,
	}, nil
}
