package scannertest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// portalCanary is in the page of the captive portal: an answer's body is nobody's business either.
const portalCanary = "canary-of-the-portal-5f2b"

// logs is everything that went through the standard loggers while the suite ran.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// capture turns the standard loggers to memory for the length of a test.
func capture(t *testing.T) *logs {
	l := &logs{}
	standard, writer, flags := slog.Default(), log.Writer(), log.Flags()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})))
	log.SetOutput(l)
	t.Cleanup(func() {
		slog.SetDefault(standard)
		log.SetOutput(writer)
		log.SetFlags(flags)
	})
	return l
}

// keptSecret looks for secrets in everything that a scan leaves behind.
func (h *suite) keptSecret(t *testing.T, w World, r report, requests []Request) {
	t.Helper()
	places := map[string]string{"the units": r.bytes, "the log": h.logs.String()}
	if w.Watched != nil {
		places["what the watchers were told"] = w.Watched()
	}
	var texts strings.Builder
	for _, q := range requests {
		texts.WriteString(q.Text + "\n")
	}
	places["the journal"] = texts.String()
	for i, secret := range append([]string{portalCanary}, h.Secrets...) {
		for what, form := range forms(secret) {
			for place, text := range places {
				if strings.Contains(text, form) {
					t.Errorf("secret %d, %s, is in %s", i, what, place)
				}
			}
		}
	}
}

// forms are the shapes in which a secret may slip out.
func forms(secret string) map[string]string {
	f := map[string]string{
		"as it is": secret, "in hex": hex.EncodeToString([]byte(secret)), "in capital hex": fmt.Sprintf("%X", secret),
		"in a URL": url.QueryEscape(secret), "in a path": url.PathEscape(secret),
	}
	if quoted, err := json.Marshal(secret); err == nil {
		f["in JSON"] = strings.Trim(string(quoted), `"`)
	}
	// Within a longer text the same bytes have three spellings in base64; the ends depend on the neighbours.
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		padded = padded[:len(padded)-len(padded)%3]
		from := []int{0, 2, 3}[shift]
		for name, enc := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			if text := enc.EncodeToString(padded); len(text) > from+8 {
				f[fmt.Sprintf("in %s, moved by %d", name, shift)] = text[from:]
			}
		}
	}
	return f
}
