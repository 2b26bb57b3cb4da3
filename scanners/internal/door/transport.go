package door

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const metadataWhy = "its address is link-local or a cloud's metadata service"

// newTransport is the standard transport with bounded headers and a dialer that looks at every address after name
// resolution: a name on the list of hosts doesn't reach the metadata service by pointing there.
func newTransport(metadata bool) *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	t := &http.Transport{
		DialContext:            d.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           200,
		MaxIdleConnsPerHost:    20,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}
	if !metadata {
		t.Proxy = http.ProxyFromEnvironment // the machine's own credential is never asked for through a proxy
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			if host, _, err := net.SplitHostPort(address); err != nil || isMetadataHost(host) {
				return &Refused{Host: address, Why: metadataWhy}
			}
			return nil
		}
	}
	return t
}

// Metadata services that are not link-local: AWS over IPv6, Azure's wire server, Alibaba's.
var metadataNets = []netip.Prefix{
	netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("100.100.100.200/32"),
}

// isMetadataHost reports whether host is the literal of an address that only the machine's own metadata answers at.
func isMetadataHost(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, net := range metadataNets {
		if net.Contains(addr) {
			return true
		}
	}
	return addr.IsLinkLocalUnicast()
}
