package aws

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"pgregory.net/rapid"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners/internal/door"
)

func TestPolicyDocuments(t *testing.T) {
	allow := func(body string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + body + `}]}`
	}
	for _, c := range []struct {
		name, document string
		actions        string // joined by a space
		everything     bool
		bad            bool
	}{
		{"everything", allow(`"Action":"*","Resource":"*"`), "*", true, false},
		{"one statement without a list", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, "*", true, false},
		{"percent-encoded as IAM sends it", url.PathEscape(allow(`"Action":["*:*"],"Resource":["arn:aws:s3:::a b+c","*"]`)), "*:*", true, false},
		{"doubled wildcards", allow(`"Action":"**:*","Resource":"**"`), "**:*", true, false},
		{"a condition narrows and is left aside", allow(`"Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`), "*", true, false},
		{"an ARN of wildcards", allow(`"Action":"*","Resource":"arn:aws:*:*:*:*"`), "*", true, false},
		{"all of one service", allow(`"Action":["s3:*","iam:*"],"Resource":"*"`), "iam:* s3:*", false, false},
		{"everything on one bucket", allow(`"Action":"*","Resource":"arn:aws:s3:::bucket"`), "*", false, false},
		{"everything in one service's ARNs", allow(`"Action":"*","Resource":"arn:aws:s3:::*"`), "*", false, false},
		{"a question mark is one letter", allow(`"Action":"?","Resource":"*"`), "?", false, false},
		{"everything but", allow(`"NotAction":["iam:*","organizations:*"],"Resource":"*"`), "!iam:* !organizations:*", false, false},
		{"everything but nothing", allow(`"NotAction":[],"Resource":"*"`), "", true, false},
		{"every resource but", allow(`"Action":"*","NotResource":"arn:aws:s3:::log"`), "*", true, false},
		{"two halves are not one statement", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b"},{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`, "* s3:Get*", false, false},
		{"a Deny is not subtracted and allows nothing", `{"Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`, "", false, false},
		{"not JSON", "%7B", "", false, true},
		{"not percent-encoded", "%zz", "", false, true},
		{"empty", "", "", false, true},
		{"no statement", `{"Version":"2012-10-17"}`, "", false, true},
		{"an effect that does not exist", `{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`, "", false, true},
		{"an action that is a number", allow(`"Action":5,"Resource":"*"`), "", false, true},
		{"no action", allow(`"Resource":"*"`), "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			actions, everything, err := parsePolicy(c.document)
			if (err != nil) != c.bad || everything != c.everything || strings.Join(actions, " ") != c.actions {
				t.Errorf("got %q, %v, %v", actions, everything, err)
			}
		})
	}
}

// TestPagesAreWholeOrSaySo: whatever a pager does, a list without an error holds everything, in order and once.
func TestPagesAreWholeOrSaySo(t *testing.T) {
	type page struct {
		items []int
		next  *string
	}
	id := func(i int) string { return string(rune('a' + i)) }
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 12).Draw(t, "sizes")
		breaks := rapid.IntRange(0, 24).Draw(t, "fails at page")
		n, asked, total := 0, 0, 0
		for _, s := range sizes {
			total += s
		}
		got, err := pages(id, func(token *string) (*page, error) {
			defer func() { asked++ }()
			if asked == breaks {
				return nil, errors.New("broken")
			}
			p := &page{items: []int{}}
			for range sizes[asked] {
				p.items, n = append(p.items, n), n+1
			}
			if asked+1 < len(sizes) {
				p.next = ptr(strings.Repeat("t", asked+1))
			}
			return p, nil
		}, func(p *page) ([]int, *string) { return p.items, p.next })
		if err == nil && len(got) != total || err != nil && breaks >= len(sizes) {
			var cut errCut
			if !errors.As(err, &cut) { // ten empty pages in a row are given up, and say so
				t.Fatalf("%d of %d, %v", len(got), total, err)
			}
		}
		for i := range got {
			if got[i] != i {
				t.Fatalf("out of order: %v", got)
			}
		}
	})
}

func TestPagersThatDoNotEnd(t *testing.T) {
	type page struct {
		items []string
		next  string
	}
	for name, answer := range map[string]func(n int) page{
		"the same token":        func(int) page { return page{[]string{"a"}, "t"} },
		"two tokens in a ring":  func(n int) page { return page{[]string{"a"}, []string{"t", "u"}[n%2]} },
		"the first page anew":   func(n int) page { return page{[]string{"a"}, strings.Repeat("t", n+1)} },
		"empty pages for ever":  func(n int) page { return page{[]string{}, strings.Repeat("t", n+1)} },
		"a list that never was": func(n int) page { return page{nil, ""} },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			_, err := pages(strings.Clone, func(*string) (*page, error) {
				p := answer(n)
				if n++; n > 50 {
					t.Fatal("still asking")
				}
				return &p, nil
			}, func(p *page) ([]string, *string) { return p.items, &p.next })
			why, _ := reason(err)
			if want := map[bool]inventory.Reason{true: inventory.DecodeError, false: inventory.PartialList}[name == "a list that never was"]; why != want {
				t.Errorf("%v is %q, want %q", err, why, want)
			}
		})
	}
}

func answered(status int, code string, header http.Header) error {
	var err error = &smithy.GenericAPIError{Code: code, Message: "User: arn:aws:iam::1:user/secret-name is not authorized"}
	if code == "" {
		err = &smithy.DeserializationError{Err: errors.New("EOF")}
	}
	return &smithy.OperationError{ServiceID: "EC2", OperationName: "X", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: header}}, Err: err}}
}

func TestErrorsByCodeFirst(t *testing.T) {
	throttles := []string{"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
		"ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded",
		"LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete", "EC2ThrottledException"}
	for _, code := range throttles {
		for _, status := range []int{400, 403, 429, 503} {
			var f *door.Failure
			if err := failure(answered(status, code, nil)); !errors.As(err, &f) || f.Class != door.Throttled {
				t.Errorf("%s with status %d is %v, want throttled", code, status, f)
			}
		}
	}
	for _, c := range []struct {
		status int
		code   string
		class  door.Class
		why    inventory.Reason
		detail string
	}{
		{403, "AccessDenied", door.Denied, inventory.AccessDenied, "AccessDenied"},
		{400, "AccessDeniedException", door.Denied, inventory.AccessDenied, "AccessDeniedException"},
		{403, "UnauthorizedOperation", door.Denied, inventory.AccessDenied, "UnauthorizedOperation"},
		{400, "ClientNotAuthorizedForThat", door.Denied, inventory.AccessDenied, "ClientNotAuthorizedForThat"},
		{401, "AuthFailure", door.Denied, inventory.AccessDenied, "AuthFailure"},
		{403, "ExpiredToken", door.Denied, inventory.AccessDenied, "ExpiredToken"},
		{401, "OptInRequired", door.Other, inventory.Disabled, "OptInRequired"},
		{404, "DBSnapshotNotFound", door.NotFound, inventory.AmbiguousNotFound, "DBSnapshotNotFound"},
		{400, "InvalidSnapshot.NotFound", door.NotFound, inventory.AmbiguousNotFound, "InvalidSnapshot.NotFound"},
		{500, "InternalError", door.Transient, inventory.Timeout, "InternalError"},
		{503, "ServiceUnavailable", door.Transient, inventory.Timeout, "ServiceUnavailable"},
		{502, "", door.Transient, inventory.Timeout, "HTTP 502"},
		{503, "", door.Throttled, inventory.Throttled, "HTTP 503"},
		{403, "", door.Other, inventory.DecodeError, "HTTP 403"}, // a proxy's page
		{200, "", door.Other, inventory.DecodeError, "the answer could not be decoded"},
		{400, "SomethingNew", door.Other, inventory.DecodeError, "SomethingNew"},
	} {
		err := failure(answered(c.status, c.code, nil))
		var f *door.Failure
		errors.As(err, &f)
		why, detail := reason(err)
		if f.Class != c.class || why != c.why || detail != c.detail {
			t.Errorf("%d %s is %s, %s (%s)", c.status, c.code, f.Class, why, detail)
		}
	}
	var f *door.Failure
	if err := failure(answered(400, "Throttling", http.Header{"X-Amz-Retry-After": {"1500"}})); !errors.As(err, &f) || f.Wait != 1500*time.Millisecond {
		t.Errorf("the wait that the answer asks for is %v", f.Wait)
	}
	if why, _ := reason(failure(&smithy.CanceledError{Err: context.Canceled})); why != inventory.Cancelled {
		t.Errorf("a cancelled call is %q", why)
	}
}

type skewed struct{ error }

func (skewed) RetryableError() bool { return true }
func (s skewed) Unwrap() error      { return s.error }

func TestOneFailureInsideAnother(t *testing.T) {
	var f *door.Failure
	if err := failure(skewed{answered(403, "SignatureDoesNotMatch", nil)}); !errors.As(err, &f) || f.Class != door.Transient {
		t.Errorf("a wrong clock, which the SDK has set right, is %v", f)
	}
	slow := failure(&signInError{&door.Failure{Class: door.TimedOut, Err: context.DeadlineExceeded}})
	if why, _ := reason(slow); why != inventory.Timeout || !errors.As(slow, &f) || f.Class != door.Other {
		t.Errorf("a role that is not assumed in time is %q, and tried again by the call that waits for it: %s", why, f.Class)
	}
	if why, code := reason(failure(&signInError{failure(answered(400, "Throttling", nil))})); why != inventory.Throttled || code != "Throttling" {
		t.Errorf("a throttled role is %q, %s", why, code)
	}
}

func TestRoleOfAnAccount(t *testing.T) {
	for role, want := range map[string]string{
		"audit":                                "arn:aws:iam::111122223333:role/audit",
		"role/audit":                           "arn:aws:iam::111122223333:role/audit",
		"arn:aws:iam::999999999999:role/a/b":   "arn:aws:iam::111122223333:role/a/b",
		"arn:aws-cn:iam::999999999999:role/ab": "arn:aws-cn:iam::111122223333:role/ab",
	} {
		if got := roleARN(role, "aws", "111122223333"); got != want {
			t.Errorf("%s: %s, want %s", role, got, want)
		}
	}
}

func TestAccountIsActiveWhileSomethingOpensIt(t *testing.T) {
	values := []inventory.Val[bool]{inventory.Known(true, 1), inventory.Known(false, 1), inventory.Unknown[bool](2)}
	for _, password := range values {
		for _, key := range values {
			for _, cert := range values {
				a := inventory.Account{ConsolePassword: password, ActiveKeys: count(key, inventory.Known(false, 1)), ActiveSigningCert: cert}
				want := "suspended"
				for _, v := range []inventory.Val[bool]{password, key, cert} {
					if on, _ := v.Get(); on {
						want = "active"
					}
				}
				if want != "active" && slices.ContainsFunc([]inventory.Val[bool]{password, key, cert}, inventory.Val[bool].IsUnknown) {
					want = ""
				}
				if got := stateOf(&a).Or(""); got != want {
					t.Errorf("password %v, key %v, certificate %v: %q, want %q", password, key, cert, got, want)
				}
			}
		}
	}
}

func TestWordsOfTheReport(t *testing.T) {
	rows, err := parseReport([]byte("user,arn,a,b,c,d,e,f\nx,arn:x,2026-01-02T03:04:05+00:00,N/A,no_information,not_supported,TRUE,false\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := rows["arn:x"]
	at, known := l.moment("a", 3).Get()
	if !known || !at.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) || !l.moment("b", 3).IsAbsent() || !l.moment("c", 3).IsAbsent() {
		t.Errorf("%v %v, %v, %v", at, known, l.moment("b", 3), l.moment("c", 3))
	}
	for _, column := range []string{"d", "no such column"} {
		if m, f := l.moment(column, 3), l.flag(column, 3); !m.IsUnknown() || !f.IsUnknown() {
			t.Errorf("%s says nothing, and became %v, %v", column, m, f)
		}
	}
	on, _ := l.flag("e", 3).Get()
	off, known := l.flag("f", 3).Get()
	if !on || off || !known {
		t.Errorf("TRUE is %v, false is %v (%v)", on, off, known)
	}
	for name, content := range map[string]string{"nothing": "", "a page": "<html>", "another table": "a,b\n1,2\n", "a short line": "user,arn\nx\n"} {
		if _, err := parseReport([]byte(content)); err == nil {
			t.Errorf("%s is taken for a report", name)
		}
	}
}

func TestPorts(t *testing.T) {
	for _, c := range []struct {
		protocol string
		from, to *int32
		wantFrom int64
		wantTo   int64
	}{
		{"-1", nil, nil, 0, 65535}, {"tcp", ptr(int32(22)), ptr(int32(22)), 22, 22}, {"6", ptr(int32(0)), ptr(int32(0)), 0, 0},
		{"udp", nil, nil, 0, 65535}, {"tcp", ptr(int32(-1)), ptr(int32(-1)), 0, 65535}, {"icmp", ptr(int32(8)), ptr(int32(-1)), 8, -1},
		{"58", nil, nil, -1, -1}, {"50", nil, nil, 0, 65535},
	} {
		if from, to := portRange(protocolName(c.protocol), c.from, c.to); from != c.wantFrom || to != c.wantTo {
			t.Errorf("%s: %d–%d, want %d–%d", c.protocol, from, to, c.wantFrom, c.wantTo)
		}
	}
}
