package door

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byAction names the operation by the Action of the form, as a provider with a query protocol would.
func byAction(r *http.Request) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", err
	}
	if r.Form.Get("Action") == "" {
		return "", errors.New("no Action")
	}
	return "rds:" + r.Form.Get("Action"), nil
}

type journal struct {
	mu    sync.Mutex
	calls []Call
}

func (j *journal) add(c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.calls = append(j.calls, c)
}

// serve starts a server and gives a client whose Guard has it as its endpoint.
func serve(t *testing.T, c GuardConfig, h http.HandlerFunc) (*http.Client, string, *journal) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	j := &journal{}
	c.Endpoint, c.Journal = mustURL(srv.URL), j.add
	if c.Ops == nil {
		c.Ops = []string{"rds:DescribeDBInstances"}
	}
	if c.Identify == nil {
		c.Identify = byAction
	}
	client := &http.Client{Transport: NewGuard(c)}
	t.Cleanup(client.CloseIdleConnections)
	return client, srv.URL, j
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

const describe = "?Action=DescribeDBInstances"

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOnlyListedOperationsLeave(t *testing.T) {
	var got []string
	client, base, j := serve(t, GuardConfig{}, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, string(b))
		fmt.Fprint(w, "answer")
	})
	post := func(form string) error {
		// A plain Reader: its length is not announced.
		resp, err := client.Post(base, "application/x-www-form-urlencoded", io.MultiReader(strings.NewReader(form)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	if err := post("Action=DescribeDBInstances&Marker=a"); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"Action=DeleteDBInstance", "Marker=a", "", "Action=describedbinstances", "Action=%zz",
		"Action=DescribeDBInstances&x=" + strings.Repeat("y", requestCap)} {
		var r *Refused
		if err := post(form); !errors.As(err, &r) || ClassOf(err) != Blocked {
			t.Errorf("%.40q: %v, want Refused", form, err)
		}
	}
	if d := cmp.Diff([]string{"Action=DescribeDBInstances&Marker=a"}, got); d != "" {
		t.Error("what the server saw:", d)
	}
	host := mustURL(base).Host
	want := []Call{
		{Op: "rds:DescribeDBInstances", Host: host, Status: 200, Bytes: 6},
		{Op: "rds:DeleteDBInstance", Host: host, Class: Blocked},
		{Host: host, Class: Blocked}, {Host: host, Class: Blocked},
		{Op: "rds:describedbinstances", Host: host, Class: Blocked},
		{Host: host, Class: Blocked}, {Host: host, Class: Blocked},
	}
	if d := cmp.Diff(want, j.calls, cmpopts.IgnoreFields(Call{}, "Duration")); d != "" {
		t.Error("journal:", d)
	}
}

func TestHosts(t *testing.T) {
	hosts := []string{"rds.*.amazonaws.com", "sts.amazonaws.com", "169.254.169.254"}
	for _, c := range []struct {
		url  string
		host string
		ok   bool
	}{
		{url: "https://rds.eu-west-1.amazonaws.com/", ok: true},
		{url: "https://RDS.eu-west-1.amazonaws.com:443/", ok: true},
		{url: "https://sts.amazonaws.com/", ok: true},
		{url: "https://sts.amazonaws.com/", host: "sts.amazonaws.com", ok: true},
		{url: "https://sts.amazonaws.com/", host: "evil.example"},
		{url: "http://sts.amazonaws.com/"},
		{url: "ftp://sts.amazonaws.com/"},
		{url: "https://sts.amazonaws.com:8443/"},
		{url: "https://sts.amazonaws.com./"},
		{url: "https://user:pass@sts.amazonaws.com/"},
		{url: "https://rds..amazonaws.com/"},
		{url: "https://rds.amazonaws.com/"},
		{url: "https://rds.a.b.amazonaws.com/"},
		{url: "https://xsts.amazonaws.com/"},
		{url: "https://sts.amazonaws.com.evil.example/"},
		{url: "https://evil.example/sts.amazonaws.com"},
		{url: "https://169.254.169.254/"},
		{url: "https://[::ffff:169.254.169.254]/"},
		{url: "https://[fe80::1%25eth0]/"},
		{url: "https://[fd00:ec2::254]/"},
	} {
		sent := 0
		g := NewGuard(GuardConfig{Ops: []string{"op"}, Hosts: hosts,
			Identify: func(*http.Request) (string, error) { return "op", nil },
			Base: roundTrip(func(r *http.Request) (*http.Response, error) {
				sent++
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})})
		req := httptest.NewRequest("GET", "/", nil)
		req.URL, req.Host = mustURL(c.url), c.host
		resp, err := g.RoundTrip(req)
		if resp != nil {
			resp.Body.Close()
		}
		if (err == nil) != c.ok || (sent == 1) != c.ok {
			t.Errorf("%s (Host %q): sent %d, error %v; want ok=%v", c.url, c.host, sent, err, c.ok)
		}
		if err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestMetadataAfterResolution(t *testing.T) {
	for host, want := range map[string]bool{"169.254.170.2": true, "::ffff:168.63.129.16": true, "[fe80::1%eth0]": true, "fd00:ec2::23": true,
		"127.0.0.1": false, "10.0.0.1": false, "fd00:ec3::1": false, "metadata.example": false, "": false} {
		if got := isMetadataHost(host); got != want {
			t.Errorf("isMetadataHost(%q) = %v", host, got)
		}
	}
	tr := newTransport(false)
	for _, addr := range []string{"169.254.169.254:80", "[fd00:ec2::254]:80", "100.100.100.200:80"} {
		_, err := tr.DialContext(t.Context(), "tcp", addr)
		var r *Refused
		if !errors.As(err, &r) {
			t.Errorf("dialling %s: %v, want Refused", addr, err)
		}
	}
	g := NewGuard(GuardConfig{Ops: []string{"op"}, Metadata: true, Endpoint: mustURL("http://169.254.169.254"),
		Identify: func(*http.Request) (string, error) { return "op", nil },
		Base: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})})
	resp, err := g.RoundTrip(httptest.NewRequest("GET", "http://169.254.169.254/latest", nil))
	if err != nil {
		t.Fatalf("the metadata client itself: %v", err)
	}
	resp.Body.Close()
	if newTransport(true).Proxy != nil {
		t.Error("metadata would be asked for through a proxy")
	}
}

func TestEndpointTakesEverything(t *testing.T) {
	var seen string
	client, _, _ := serve(t, GuardConfig{Hosts: []string{"graph.example.com"}, Ops: []string{"GET /v1/users"},
		Identify: func(r *http.Request) (string, error) {
			if r.URL.Host != "graph.example.com" {
				return "", errors.New("Identify must see the provider's own host")
			}
			return r.Method + " " + r.URL.Path, nil
		}}, func(w http.ResponseWriter, r *http.Request) { seen = r.Host + r.URL.String() })
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "https://graph.example.com/v1/users?$top=5", nil)
	req.Host = "" // as an SDK may leave it
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if seen != "graph.example.com/v1/users?$top=5" || resp.Request.URL.Host != "graph.example.com" {
		t.Errorf("server saw %q, client sees %s", seen, resp.Request.URL)
	}
	if _, err := client.Get("https://other.example.com/v1/users"); ClassOf(err) != Blocked {
		t.Errorf("another host with an endpoint set: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked, Authorization %q", r.Header.Get("Authorization"))
	}))
	defer evil.Close()
	for _, c := range []struct {
		to   string
		want Class
	}{
		{"/same" + describe, ""},
		{evil.URL + describe, Blocked},
		{"http://169.254.169.254/" + describe, Blocked},
		{"//localhost/" + describe, Blocked},
		{"https://listed.example.com/" + describe, Blocked}, // even to a host of the list
		{"/same?Action=DeleteDBInstance", Blocked},
	} {
		client, base, _ := serve(t, GuardConfig{Hosts: []string{"listed.example.com"}}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, c.to, http.StatusTemporaryRedirect)
			}
		})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", base+"/"+describe, nil)
		req.Header.Set("Authorization", "Bearer canary")
		resp, err := client.Do(req)
		if resp != nil {
			resp.Body.Close()
		}
		if ClassOf(err) != c.want {
			t.Errorf("to %s: %v, want class %q", c.to, err, c.want)
		}
	}
}

func TestNoDowngrade(t *testing.T) {
	g := NewGuard(GuardConfig{Ops: []string{"op"}, Hosts: []string{"a.example.com"}, Endpoint: mustURL("http://a.example.com"),
		Identify: func(*http.Request) (string, error) { return "op", nil },
		Base: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 302, Header: http.Header{"Location": {"http://a.example.com/"}}, Body: http.NoBody}, nil
		})})
	_, err := (&http.Client{Transport: g}).Get("https://a.example.com/")
	if ClassOf(err) != Blocked {
		t.Errorf("https to http: %v", err)
	}
}

func TestJournalKnowsAttemptAndEarlyClose(t *testing.T) {
	client, base, j := serve(t, GuardConfig{}, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, "slow down")
	})
	req, _ := http.NewRequestWithContext(WithAttempt(t.Context(), 3), "GET", base+describe, nil)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	resp.Body.Close()
	want := []Call{{Op: "rds:DescribeDBInstances", Host: mustURL(base).Host, Status: 429, Attempt: 3, Class: Throttled}}
	if d := cmp.Diff(want, j.calls, cmpopts.IgnoreFields(Call{}, "Duration")); d != "" {
		t.Error(d)
	}
}
