package lfs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/pilotgate/pilotgate/internal/bytestore"
)

// Allow widens where Outward goes, for tests.
type Allow struct {
	Loopback bool
	Roots    *x509.CertPool // nil: the system's
}

// Outward is a transport for addresses that a store named: to public addresses
// only. The address is looked at when it is dialled, after the name was
// resolved, so that a name cannot change its meaning in between. It uses no
// proxy, behind which the address would be unseen.
func Outward(a Allow) *http.Transport {
	dialer := &net.Dialer{
		Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !Public(to.Addr()) && !(a.Loopback && to.Addr().Unmap().IsLoopback()) {
				return fmt.Errorf("dial: %w", bytestore.ErrAddress)
			}
			return nil
		},
	}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.Roots},
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		MaxIdleConns: 16, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// special are address blocks that look global to package net and lead into
// somebody's network, or wrap an address that does
// (iana.org/assignments/iana-ipv4-special-registry and -ipv6-).
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public tells an address of the open internet from loopback, private,
// link-local (cloud metadata), shared and wrapped ones.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
