package aws

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sptr.jp/tenken/findings/inventory"
)

// TestConnectionThatFailsSaysHow: whoever reads the gap learns what to look at, and no number of a status that never came.
func TestConnectionThatFailsSaysHow(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	defer untrusted.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer silent.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("<GetCallerIdentityResponse><GetCallerIdentityResult>")) // and no more
	}))
	defer cut.Close()
	for endpoint, want := range map[string]struct {
		why    inventory.Reason
		detail string
	}{
		"http://" + closed.Addr().String(): {inventory.Timeout, "connection refused"},
		"http://nowhere.invalid:1":         {inventory.Timeout, "no such host"},
		untrusted.URL:                      {inventory.DecodeError, "TLS: the certificate is not trusted"},
		"https" + plain.URL[len("http"):]:  {inventory.Timeout, "TLS: the other side does not agree"},
		silent.URL:                         {inventory.Timeout, "the connection was closed before an answer"},
		cut.URL:                            {inventory.Timeout, "the answer was cut short"},
	} {
		base, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		c := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, Credentials: environmentKeys{}, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			HTTPClient: &http.Client{Transport: newGuard(base, Hooks{Transport: unnamed{http.DefaultTransport}}, nil)}}
		_, err = sts.NewFromConfig(c).GetCallerIdentity(t.Context(), nil)
		if why, detail := reason(failure(err)); why != want.why || detail != want.detail {
			t.Errorf("%s: %s, %q, want %v: %v", endpoint, why, detail, want, err)
		}
	}
}

// unnamed answers for a resolver, which not every machine that tests has.
type unnamed struct{ http.RoundTripper }

func (u unnamed) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Hostname() == "nowhere.invalid" {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}}
	}
	return u.RoundTripper.RoundTrip(req)
}
