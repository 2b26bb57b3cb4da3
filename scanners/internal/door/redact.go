package door

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// shortest is the length below which a value is no secret: stripping it would only make the text unreadable.
const shortest = 4

// A Redactor strips from text the secrets that it knows, in the forms in which they travel, and what looks like a
// credential by its surroundings. Its zero value and a nil Redactor know no secret and do the latter.
type Redactor struct {
	mu       sync.RWMutex
	forms    []string
	replacer *strings.Replacer
}

// Add makes secrets known: those of the configuration at the start, and every token obtained on the way.
func (r *Redactor) Add(secrets ...Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		r.forms = append(r.forms, formsOf(s.Reveal())...)
	}
	// The longest first, so that no form is stripped only in part.
	slices.SortFunc(r.forms, func(a, b string) int {
		return cmp.Or(len(b)-len(a), strings.Compare(a, b))
	})
	r.forms = slices.Compact(r.forms)
	var pairs []string
	for _, f := range r.forms {
		pairs = append(pairs, f, redacted)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// formsOf lists how a secret appears in text: as it is, quoted, in hex, URL-encoded, and in base64 at each of the
// three offsets that it can have within something longer, such as a user:password pair.
func formsOf(s string) []string {
	if len(s) < shortest {
		return nil
	}
	quoted, asHex := strconv.Quote(s), hex.EncodeToString([]byte(s))
	asJSON, _ := json.Marshal(s) // a string always marshals
	forms := []string{s, quoted[1 : len(quoted)-1], string(asJSON[1 : len(asJSON)-1]), asHex, strings.ToUpper(asHex)}
	query := url.QueryEscape(s)
	for _, f := range []string{query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(s)} {
		forms = append(forms, f, percent.ReplaceAllStringFunc(f, strings.ToLower))
	}
	for offset := range 3 {
		b64 := base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00"[:offset] + s))
		b64 = b64[(offset*8+5)/6 : (offset+len(s))*8/6] // only the digits that no neighbour changes
		forms = append(forms, b64, strings.NewReplacer("+", "-", "/", "_").Replace(b64))
	}
	return forms
}

var percent = regexp.MustCompile(`%[0-9A-F]{2}`)

// lookalikes are credentials known by their surroundings. A query string goes whole: what a name in it means is
// not ours to know.
var lookalikes = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]*@`), "${1}" + redacted + "@"},
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://[^\s?"'<>]*\?)[^\s"'<>]+`), "${1}" + redacted},
	{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-amz-security-token|x-api-key|private-token)(["']?\s*[:=]\s*)[^\r\n]+`), "${1}${2}" + redacted},
	{regexp.MustCompile(`(?i)\b([a-z0-9_-]*(?:secret|token|password|passwd|api_?key|accesskey|signature|assertion)(?:=|"\s*:\s*"))[^\s&"',;]+`), "${1}" + redacted},
	{regexp.MustCompile(`(?i)\b(bearer|basic|zoho-oauthtoken)\s+[a-z0-9._~+/=-]{16,}`), "${1} " + redacted},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`), redacted},
}

// String gives s without what is secret.
func (r *Redactor) String(s string) string {
	if r != nil {
		r.mu.RLock()
		if r.replacer != nil {
			s = r.replacer.Replace(s)
		}
		r.mu.RUnlock()
	}
	for _, l := range lookalikes {
		s = l.re.ReplaceAllString(s, l.by)
	}
	return s
}

// Error gives err with its text cleaned, if there was anything to clean. Its chain stays for errors.Is and errors.As;
// what is found through them prints itself as before, so print the outermost.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := r.String(err.Error()); text != err.Error() {
		return &cleaned{text, err}
	}
	return err
}

type cleaned struct {
	text string
	err  error
}

func (c *cleaned) Error() string { return c.text }
func (c *cleaned) Unwrap() error { return c.err }
