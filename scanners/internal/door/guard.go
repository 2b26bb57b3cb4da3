package door

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	defaultBodyCap = 64 << 20
	defaultTimeout = time.Minute
	requestCap     = 1 << 20 // reads are small; what is larger is not one of ours
)

// GuardConfig says what one kind of client may do. Zero values are the strict ones.
type GuardConfig struct {
	// Ops are the operations that may be sent, as Identify names them. Generate them from the scanner's Needs.
	Ops []string

	// Identify names the operation of a request, or says why it can't. It may read the body and change the request
	// at will: it is given a copy.
	Identify func(*http.Request) (op string, err error)

	// Hosts are the hosts that may be reached, over https on the default port. A label "*" stands for exactly one
	// label: "rds.*.amazonaws.com", "*.googleapis.com".
	Hosts []string

	// Endpoint, from the operator's configuration only, takes all traffic: requests for one of Hosts go to its
	// scheme and address with their path, query and Host header unchanged, requests for itself as they are, and
	// nothing goes anywhere else. Only scheme and host of it are used.
	Endpoint *url.URL

	// Metadata allows link-local and cloud metadata addresses. It is for the credential client that asks the
	// instance metadata service (as its Endpoint), and for no other.
	Metadata bool

	// BodyCap bounds an answer in bytes after decompression (default 64 MiB), Timeout the time from sending a
	// request to the end of its answer (default 1 minute).
	BodyCap int64
	Timeout time.Duration

	// Journal, if set, is told of every request once, when its answer's body has ended or was closed. It is called
	// by many goroutines.
	Journal func(Call)

	// Redactor cleans the errors of the transport, which may quote an answer.
	Redactor *Redactor

	// Base sends what is admitted; by default a transport of Guard's own that also checks every address after
	// name resolution.
	Base http.RoundTripper
}

// A Call is the journal's line for one request: never its headers, body or query.
type Call struct {
	Op       string
	Host     string
	Status   int   // 0 without an answer
	Bytes    int64 // of the body, as far as it was read
	Duration time.Duration
	Attempt  int   // 0 if nobody told; see WithAttempt
	Class    Class // of the transport's error, else by status: the second choice
}

type attemptKey struct{}

// WithAttempt tells the journal which try of a call a request is, from 1. Do sets it.
func WithAttempt(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, attemptKey{}, n)
}

// Guard is the innermost transport of every client. A request that it refuses never leaves and fails with
// [Refused]; every other failure is a [Failure]. Redirects to another host or scheme are refused here, whatever
// policy the client has.
type Guard struct {
	c   GuardConfig
	ops map[string]bool
}

// NewGuard makes a Guard; Identify is required.
func NewGuard(c GuardConfig) *Guard {
	c.BodyCap = cmp.Or(c.BodyCap, defaultBodyCap)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	if c.Base == nil {
		c.Base = newTransport(c.Metadata)
	}
	g := &Guard{c: c, ops: map[string]bool{}}
	for _, op := range c.Ops {
		g.ops[op] = true
	}
	return g
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (g *Guard) CloseIdleConnections() {
	if c, ok := g.c.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (g *Guard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := WithTimeout(req.Context(), g.c.Timeout)
	attempt, _ := ctx.Value(attemptKey{}).(int)
	a := &answer{guard: g, ctx: ctx, cancel: cancel, start: time.Now(), left: g.c.BodyCap,
		call: Call{Host: req.URL.Host, Attempt: attempt}}
	out, err := g.admit(req, &a.call)
	if err != nil {
		a.end(Blocked)
		return nil, err
	}
	resp, err := g.c.Base.RoundTrip(out.WithContext(ctx))
	if err != nil {
		return nil, a.fail(err)
	}
	resp.Request = req // not the copy, whose address an endpoint may have changed
	a.call.Status, a.body = resp.StatusCode, resp.Body
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		resp.Body.Close()
		return nil, a.failAs(Other, fmt.Errorf("the answer is encoded as %q, which was not asked for and hides its size", enc))
	}
	resp.Body = a
	return resp, nil
}

// admit gives the request to send, or why there is none. It consumes and closes the body of req.
func (g *Guard) admit(req *http.Request, call *Call) (*http.Request, error) {
	refuse := func(why string) (*http.Request, error) {
		return nil, &Refused{Op: call.Op, Host: call.Host, Why: g.c.Redactor.String(why)}
	}
	payload, err := slurp(req.Body)
	if err != nil {
		return refuse("its body can't be read: " + err.Error())
	}
	if len(payload) > requestCap {
		return refuse("its body is larger than that of any read")
	}
	if why := g.misplaced(req); why != "" {
		return refuse(why)
	}
	op, err := g.c.Identify(withBody(req, payload))
	if err != nil {
		return refuse("its operation is unknown: " + err.Error())
	}
	call.Op = op
	if !g.ops[op] {
		return refuse("the operation is not on the list of what is needed")
	}
	out := withBody(req, payload)
	if g.c.Endpoint != nil && !sameOrigin(out.URL, g.c.Endpoint) {
		out.Host = cmp.Or(out.Host, out.URL.Host)
		out.URL.Scheme, out.URL.Host = g.c.Endpoint.Scheme, g.c.Endpoint.Host
	}
	return out, nil
}

// misplaced says why a request may not go where it wants to go; empty if it may.
func (g *Guard) misplaced(req *http.Request) string {
	u := req.URL
	if from := req.Response; from != nil && from.Request != nil && !sameOrigin(from.Request.URL, u) {
		return "it follows a redirect to another host or scheme"
	}
	switch endpoint := g.c.Endpoint != nil && sameOrigin(u, g.c.Endpoint); {
	case u.User != nil:
		return "its address carries a credential"
	case !g.c.Metadata && isMetadataHost(u.Hostname()):
		return metadataWhy
	case endpoint:
		return ""
	case u.Scheme != "https":
		return "it is not https"
	case u.Port() != "" && u.Port() != "443":
		return "its port is not that of https"
	case !g.mayReach(u.Hostname()):
		return "the host is not on the list"
	case req.Host != "" && !g.mayReach(strings.TrimSuffix(req.Host, ":443")):
		return "the host of its Host header is not on the list"
	}
	return ""
}

func (g *Guard) mayReach(host string) bool {
	labels := strings.Split(strings.ToLower(host), ".")
	return slices.ContainsFunc(g.c.Hosts, func(pattern string) bool {
		return slices.EqualFunc(strings.Split(strings.ToLower(pattern), "."), labels, func(p, l string) bool {
			return p == l || p == "*" && l != ""
		})
	})
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

func slurp(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, requestCap+1))
}

func withBody(req *http.Request, payload []byte) *http.Request {
	r := req.Clone(req.Context())
	if len(payload) == 0 {
		r.Body, r.GetBody = nil, nil
		return r
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(payload)), nil }
	r.Body, _ = r.GetBody()
	if r.ContentLength <= 0 {
		r.ContentLength = int64(len(payload))
	}
	return r
}
