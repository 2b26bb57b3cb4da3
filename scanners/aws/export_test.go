package aws

import (
	"net/http"
	"net/url"
)

// Door is the transport of every client of a scanner with this endpoint, before what would be the network.
func Door(endpoint string, network http.RoundTripper) http.RoundTripper {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic(err)
	}
	return newGuard(u, Hooks{Transport: network}, nil)
}
