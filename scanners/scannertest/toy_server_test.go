package scannertest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"sptr.jp/tenken/scanners/scannertest"
)

// toyServer is a provider of seven groups.
type toyServer struct {
	*httptest.Server
	faults []scannertest.Fault

	mu       sync.Mutex
	requests []scannertest.Request
	calls    map[string]int
}

func (s *toyServer) fault(kind scannertest.FaultKind, op string) *scannertest.Fault {
	for i, f := range s.faults {
		if f.Kind == kind && (f.Operation == "" || f.Operation == op) {
			return &s.faults[i]
		}
	}
	return nil
}

func (s *toyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := "toy:" + strings.TrimPrefix(r.URL.Path, "/")
	s.mu.Lock()
	s.calls[op]++
	throttle := s.fault(scannertest.Throttle, op)
	throttled := throttle != nil && s.calls[op] <= throttle.N
	s.requests = append(s.requests, scannertest.Request{At: time.Now(), Operation: op, Same: r.URL.RawQuery, Throttled: throttled, Text: r.URL.String()})
	serial := len(s.requests)
	s.mu.Unlock()
	switch {
	case throttled:
		w.Header().Set("Retry-After-Ms", strconv.FormatInt(throttle.After.Milliseconds(), 10))
		w.WriteHeader(http.StatusTooManyRequests)
	case s.fault(scannertest.Deny, op) != nil:
		http.Error(w, "refused to "+toySecret, http.StatusForbidden)
	case s.fault(scannertest.Stall, op) != nil:
		<-r.Context().Done()
	case s.fault(scannertest.Portal, op) != nil:
		_, _ = io.WriteString(w, s.fault(scannertest.Portal, op).Body)
	default:
		body := s.answer(op, r.URL.Query(), serial)
		if f := s.fault(scannertest.Oversize, op); f != nil {
			body = append(bytes.Repeat([]byte(" "), f.N), body...)
		}
		if f := s.fault(scannertest.Truncate, op); f != nil {
			body = body[:min(f.N, len(body))]
		}
		_, _ = w.Write(body)
	}
}

func (s *toyServer) answer(op string, q url.Values, serial int) []byte {
	size := 3
	if f := s.fault(scannertest.PageSize, op); f != nil {
		size = f.N
	}
	var answer any
	switch op {
	case "toy:WhoAmI":
		answer = map[string]string{"account": "acme", "description": "the only account that there is"}
	case "toy:GetGroup":
		answer = map[string]any{"members": []string{"a-" + q.Get("id"), "b-" + q.Get("id")}, "description": "somebody"}
	default:
		from, _ := strconv.Atoi(q.Get("token"))
		next := ""
		if from+size < 7 {
			next = strconv.Itoa(from + size)
		}
		if f := s.fault(scannertest.Endless, op); f != nil {
			from, next = 0, []string{strconv.Itoa(-serial), "1"}[f.N]
		}
		var ids []string
		for i := max(from, 0); i < min(max(from, 0)+size, 7); i++ {
			ids = append(ids, fmt.Sprintf("g%d", i))
		}
		answer = map[string]any{"groups": ids, "next": next, "description": "some of seven groups"}
	}
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return b
}
