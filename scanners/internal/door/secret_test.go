package door

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const canary = "k4n/Ry+s3cr=t <\"ü\">"

// leaks lists the forms in which s is found in text, made here by other means than formsOf.
func leaks(text, s string) (found []string) {
	for name, form := range map[string]string{
		"raw": s, "query": url.QueryEscape(s), "path": url.PathEscape(s), "quoted": strings.Trim(fmt.Sprintf("%q", s), `"`),
		"hex": hex.EncodeToString([]byte(s)), "HEX": fmt.Sprintf("%X", s), "base64": base64.RawStdEncoding.EncodeToString([]byte(s)),
		"base64url": base64.RawURLEncoding.EncodeToString([]byte(s)),
	} {
		if strings.Contains(text, form) {
			found = append(found, name)
		}
	}
	return found
}

func TestSecretNeverPrints(t *testing.T) {
	s := NewSecret(canary)
	type holder struct {
		Open   Secret
		hidden Secret // fmt can't call the methods of this one
	}
	h := holder{s, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{s, &s, h, &h, []Secret{s}, map[string]holder{"a": h}, struct{ e error }{fmt.Errorf("x %v", s)}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))} {
		l.Info("m", "s", s, "h", h, "p", &s)
	}
	for _, v := range []any{s, h, map[string]any{"s": s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	b, err := xml.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(b)
	if found := leaks(out.String(), canary); found != nil {
		t.Errorf("leaked as %v", found)
	}
	if n := strings.Count(out.String(), redacted); n < 40 {
		t.Errorf("only %d marks in %s", n, out.String())
	}
	if s.Reveal() != canary || (Secret{}).Reveal() != "" {
		t.Error("Reveal does not give the secret back")
	}
}

func TestRedactorKnowsEveryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringN(8, 40, -1).Draw(t, "secret")
		before := rapid.StringN(0, 5, -1).Draw(t, "before")
		var r Redactor
		r.Add(NewSecret(secret), NewSecret("another-secret"))
		asJSON, _ := json.Marshal(secret)
		quoted := fmt.Sprintf("%q", secret)
		for name, form := range map[string]string{
			"raw": secret, "quoted": quoted[1 : len(quoted)-1], "json": string(asJSON[1 : len(asJSON)-1]), "hex": hex.EncodeToString([]byte(secret)), "HEX": fmt.Sprintf("%X", secret),
			"query": url.QueryEscape(secret), "path": url.PathEscape(secret),
		} {
			if got := r.String("(" + form + ")"); strings.Contains(got, form) || !strings.Contains(got, redacted) {
				t.Fatalf("%s: %q stays in %q", name, form, got)
			}
		}
		// Within something longer, base64 must lose all but the digits shared with the neighbours.
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			whole := enc.EncodeToString([]byte(before + secret + "zz"))
			got := r.String(whole)
			if kept := len(got) - len(redacted); !strings.Contains(got, redacted) || kept > len(enc.EncodeToString([]byte(before)))+6 {
				t.Fatalf("base64 of %q around %q: %q left of %q", before, secret, got, whole)
			}
		}
	})
}

func TestRedactLookalikes(t *testing.T) {
	var r *Redactor
	for in, want := range map[string]string{
		`Get "https://joe:canary@h.example/a?sig=canary&x=1": EOF`:          `Get "https://[redacted]@h.example/a?[redacted]": EOF`,
		"proxy http://canary@proxy:3128 failed":                             "proxy http://[redacted]@proxy:3128 failed",
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Sig=canary\nok": "Authorization: [redacted]\nok",
		`{"Authorization":"Basic canary"`:                                   `{"Authorization":[redacted]`,
		"X-Amz-Security-Token: canary":                                      "X-Amz-Security-Token: [redacted]",
		"oauth2: client_secret=canary&grant=x":                              "oauth2: client_secret=[redacted]&grant=x",
		`{"access_token": "canary", "expires_in": 1}`:                       `{"access_token": "[redacted]", "expires_in": 1}`,
		"sent bearer canary.canary_canary now":                              "sent bearer [redacted] now",
		"jwt eyJhbGciOiJI.eyJzdWIiOiIx.canary0 end":                         "jwt [redacted] end",
		// What an administrator must read stays.
		"ExpiredToken: The security token included in the request is expired": "ExpiredToken: The security token included in the request is expired",
		"basic authentication is off; no secret: fine":                        "basic authentication is off; no secret: fine",
		"arn:aws:iam::123456789012:user/joe@sptr.jp":                          "arn:aws:iam::123456789012:user/joe@sptr.jp",
		"see https://docs.example/a#b":                                        "see https://docs.example/a#b",
	} {
		if got := r.String(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestRedactedErrorKeepsItsChain(t *testing.T) {
	var r Redactor
	r.Add(NewSecret(canary), NewSecret("abc"), NewSecret(""))
	err := r.Error(fmt.Errorf("with %s: %w", canary, &Failure{Class: Denied, Err: io.ErrUnexpectedEOF}))
	if leaks(err.Error(), canary) != nil || !errors.Is(err, io.ErrUnexpectedEOF) || ClassOf(err) != Denied {
		t.Errorf("%v (%s)", err, ClassOf(err))
	}
	plain := errors.New("abc stays: too short to be a secret")
	if r.Error(plain) != plain || r.Error(nil) != nil {
		t.Error("an error with nothing to hide was changed")
	}
}

// Canaries in every place of a request and in a broken answer: none in errors and journal.
func TestNoCanaryLeaves(t *testing.T) {
	var red Redactor
	red.Add(NewSecret(canary))
	var out strings.Builder
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + canary,
		canary + "\r\n\r\n",
		"HTTP/1.1 2" + canary + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: " + canary + "\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://joe:" + url.QueryEscape(canary) + "@evil.example/\r\n\r\n",
	} {
		client, base := serveRaw(t, raw)
		g := client.Transport.(*Guard)
		g.c.Redactor = &red
		g.c.Journal = func(c Call) { fmt.Fprintf(&out, "%+v\n", c) }
		req, _ := http.NewRequestWithContext(t.Context(), "POST", base+describe+"&t="+url.QueryEscape(canary), strings.NewReader(canary))
		req.Header.Set("Authorization", "Bearer "+url.QueryEscape(canary))
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Fatalf("%q was understood", raw)
		}
		fmt.Fprintln(&out, red.Error(err))
		for inner := err; inner != nil; inner = errors.Unwrap(inner) {
			if f, ok := inner.(*Failure); ok {
				fmt.Fprintln(&out, f) // clean even without the outer Redactor
			}
		}
		client.CloseIdleConnections()
	}
	if found := leaks(out.String(), canary); found != nil {
		t.Errorf("leaked as %v in\n%s", found, out.String())
	}
	if n := strings.Count(out.String(), "rds:DescribeDBInstances"); n < 5 {
		t.Errorf("journal has %d of 5 lines:\n%s", n, out.String())
	}
}
