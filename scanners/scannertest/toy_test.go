package scannertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/scannertest"
)

const toySecret = "canary-token-/+93be"

var (
	whoAmI     = scanners.Need{Operation: "toy:WhoAmI", Permission: "toy.who", For: "the account"}
	listGroups = scanners.Need{Operation: "toy:ListGroups", Permission: "toy.list", For: "groups"}
	getGroup   = scanners.Need{Operation: "toy:GetGroup", Permission: "toy.get", For: "members"}
)

// toy is a right scanner, but for its mutation.
type toy struct {
	base     string
	mutation string
	client   http.Client
}

func (s *toy) is(mutation string) bool { return s.mutation == mutation }

func (s *toy) Needs() []scanners.Need {
	if s.is("needs too much") {
		return []scanners.Need{whoAmI, listGroups, getGroup, {Operation: "toy:Delete", For: "nothing"}}
	}
	if s.is("sends too much") {
		return []scanners.Need{whoAmI, listGroups}
	}
	return []scanners.Need{whoAmI, listGroups, getGroup}
}

var errCut = errors.New("the list was cut short")

func (s *toy) get(ctx context.Context, need scanners.Need, q url.Values, into any) error {
	if s.is("deaf") {
		ctx = context.WithoutCancel(ctx)
	}
	for tries := 0; ; tries++ {
		wait, err := s.once(ctx, need, q, into)
		if wait == 0 || tries == 5 || s.is("gives up") {
			return err
		}
		if s.is("impatient") {
			wait /= 4
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if s.is("asks twice") {
			_, _ = s.once(ctx, need, q, into)
		}
	}
}

func (s *toy) once(ctx context.Context, need scanners.Need, q url.Values, into any) (wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/"+strings.TrimPrefix(need.Operation, "toy:")+"?"+q.Encode(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	limit := int64(1 << 20)
	if s.is("no cap") {
		limit = 1 << 30
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	switch {
	case err != nil:
		return 0, err
	case resp.StatusCode == http.StatusTooManyRequests:
		ms, _ := strconv.Atoi(resp.Header.Get("Retry-After-Ms"))
		return time.Duration(ms) * time.Millisecond, status(resp.StatusCode)
	case resp.StatusCode != http.StatusOK && s.is("quotes refusals"):
		return 0, fmt.Errorf("%w: %s", status(resp.StatusCode), bytes.TrimSpace(body))
	case resp.StatusCode != http.StatusOK:
		return 0, status(resp.StatusCode)
	case int64(len(body)) == limit:
		return 0, status(http.StatusRequestEntityTooLarge)
	}
	if err := json.Unmarshal(body, into); err != nil && !s.is("believes everything") {
		if s.is("quotes answers") {
			return 0, fmt.Errorf("%w: %s", errShape, body)
		}
		return 0, errShape
	}
	return 0, nil
}

type status int

func (s status) Error() string { return fmt.Sprintf("status %d", int(s)) }

var errShape = errors.New("not the expected answer")

func reasonOf(err error) inventory.Reason {
	var code status
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return inventory.Timeout
	case errors.Is(err, context.Canceled):
		return inventory.Cancelled
	case errors.Is(err, errCut):
		return inventory.PartialList
	case errors.As(err, &code) && code == http.StatusForbidden:
		return inventory.AccessDenied
	case errors.As(err, &code) && code == http.StatusTooManyRequests:
		return inventory.Throttled
	case errors.As(err, &code):
		return inventory.TooLarge
	}
	return inventory.DecodeError
}

func (s *toy) Plan(ctx context.Context) []inventory.Unit {
	u := inventory.NewUnit(inventory.Scope{System: "toy", Type: "toy"}, "discovery", inventory.GroupKind)
	var who struct{ Account string }
	err := s.get(ctx, whoAmI, nil, &who)
	if err == nil && who.Account == "" {
		err = errShape
	}
	if err != nil {
		scanners.Fail(&u, whoAmI, reasonOf(err), "")
		return []inventory.Unit{u}
	}
	u.Scope.Account = who.Account
	return []inventory.Unit{inventory.NewUnit(u.Scope, "groups", inventory.GroupKind)}
}

func (s *toy) list(ctx context.Context) (ids []string, err error) {
	tokens := map[string]bool{}
	for token, idle := "", 0; ; idle++ {
		var page struct {
			Groups []string
			Next   *string
		}
		if err := s.get(ctx, listGroups, url.Values{"token": {token}}, &page); err != nil {
			return ids, err
		}
		if page.Next == nil && !s.is("believes everything") {
			return ids, errShape
		}
		for _, id := range page.Groups {
			if !slices.Contains(ids, id) {
				ids, idle = append(ids, id), 0
			}
		}
		if page.Next == nil || *page.Next == "" || s.is("one page") {
			return ids, nil
		}
		if token = *page.Next; !s.is("endless") && (tokens[token] || idle > 3) {
			return ids, errCut
		}
		tokens[token] = true
	}
}

func (s *toy) Collect(ctx context.Context, u *inventory.Unit) {
	rec := scanners.NewRecorder(u)
	note := func(n scanners.Need, err error) inventory.ReadID {
		if err == nil {
			return rec.OK(n)
		}
		detail := ""
		if s.is("quotes refusals") || s.is("quotes answers") {
			detail = err.Error()
		}
		return rec.Gap(n, reasonOf(err), detail)
	}
	if s.is("leaks") {
		go func() { time.Sleep(20 * time.Second) }()
	}
	ids, err := s.list(ctx)
	read := note(listGroups, err)
	if s.is("denied is empty") && reasonOf(err) == inventory.AccessDenied {
		*u = inventory.NewUnit(u.Scope, u.Collector, inventory.GroupKind)
		rec = scanners.NewRecorder(u)
		read = rec.OK(listGroups)
	}
	groups := make([]inventory.Group, len(ids))
	errs := make([]error, len(ids))
	var mu sync.Mutex
	var finished []int
	scanners.Each(ctx, 4, ids, func(ctx context.Context, i int, id string) {
		var group struct{ Members []string }
		errs[i] = s.get(ctx, getGroup, url.Values{"id": {id}}, &group)
		if errs[i] == nil && group.Members == nil && !s.is("believes everything") {
			errs[i] = errShape
		}
		groups[i] = inventory.Group{Head: inventory.Head{ID: id}, MemberIDs: inventory.Closed(group.Members, 0)}
		mu.Lock()
		defer mu.Unlock()
		finished = append(finished, i)
	})
	for i := range groups {
		if s.is("silent about details") {
			errs[i] = nil
		}
		detail := note(getGroup, errs[i])
		groups[i].MemberIDs = inventory.Closed(groups[i].MemberIDs.Items, detail)
		if errs[i] != nil && !s.is("denied is none") {
			groups[i].MemberIDs = inventory.Open[string](nil, detail)
		}
	}
	if s.is("unordered") {
		u.Facts.Groups = make([]inventory.Group, 0, len(groups))
		for _, i := range finished {
			u.Facts.Groups = append(u.Facts.Groups, groups[i])
		}
	} else {
		u.Facts.Groups = groups
	}
	rec.Listed(inventory.GroupKind, read)
	rec.Finish()
	if s.is("always complete") {
		u.Outcome = inventory.Complete
	}
}

func toySubject(mutation string) scannertest.Subject {
	return scannertest.Subject{
		System: "toy", Type: "toy", Kinds: []inventory.Kind{inventory.GroupKind},
		Secrets: []string{toySecret}, Oversize: 2 << 20, Bound: 100, Thorough: true,
		New: func(t testing.TB, faults ...scannertest.Fault) scannertest.World {
			s := &toyServer{faults: faults, calls: map[string]int{}}
			s.Server = httptest.NewServer(s)
			scanner := &toy{base: s.URL, mutation: mutation, client: http.Client{Transport: &http.Transport{}}}
			return scannertest.World{
				Scanner: scanner, Complaints: func() []error { return nil },
				Journal: func() []scannertest.Request {
					s.mu.Lock()
					defer s.mu.Unlock()
					return slices.Clone(s.requests)
				},
				Close: func() { _ = s.Config.Close(); s.Server.Close() }, // the listener first, or a client would dial again
			}
		},
	}
}
