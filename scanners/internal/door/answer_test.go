package door

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestSize(t *testing.T) {
	const limit = 1 << 16
	zipped := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Error("the transport did not ask for gzip")
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			for range n >> 10 {
				z.Write(make([]byte, 1<<10))
			}
		}
	}
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		n    int64
		want Class
	}{
		"just fits":           {func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, limit)) }, limit, ""},
		"one too many":        {func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, limit+1)) }, limit, TooLarge},
		"zipped, just fits":   {zipped(limit), limit, ""},
		"gzip bomb of 64 MiB": {zipped(64 << 20), limit, TooLarge},
		"unasked encoding": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Write(make([]byte, 10))
		}, 0, Other},
	} {
		client, base, j := serve(t, GuardConfig{BodyCap: limit}, c.h)
		n, err := fetch(t.Context(), client, base+describe)
		if n != c.n || ClassOf(err) != c.want || (c.want == TooLarge) != errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %d bytes, %v; want %d and class %q", name, n, err, c.n, c.want)
		}
		if len(j.calls) != 1 || j.calls[0].Class != c.want || j.calls[0].Bytes != c.n {
			t.Errorf("%s: journal %+v", name, j.calls)
		}
	}
}

// fetch reads an answer to its end and once more: an error must stay.
func fetch(ctx context.Context, client *http.Client, url string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if again, err2 := resp.Body.Read(make([]byte, 1)); err != nil && (again != 0 || !errors.Is(err2, errors.Unwrap(err))) {
		return n, fmt.Errorf("first %w, then %d bytes and %v", err, again, err2)
	}
	return n, err
}

// Every cut of an answer, at every byte, must surface: in its head, in a body with a length, in chunks, in gzip.
func TestEveryCutSurfaces(t *testing.T) {
	var z strings.Builder
	zw := gzip.NewWriter(&z)
	zw.Write([]byte(`{"items":[1,2,3]}`))
	zw.Close()
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for name, whole := range map[string]string{
		"length":  head + "Content-Length: 17\r\n\r\n" + `{"items":[1,2,3]}`,
		"chunked": head + "Transfer-Encoding: chunked\r\n\r\n8\r\n{\"items\"\r\n9\r\n:[1,2,3]}\r\n0\r\n\r\n",
		"gzip":    head + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", z.Len(), z.String()),
	} {
		for cut := 1; cut <= len(whole); cut++ {
			client, base := serveRaw(t, whole[:cut])
			_, err := fetch(t.Context(), client, base+describe)
			if class := ClassOf(err); cut < len(whole) && class != Transient || cut == len(whole) && err != nil {
				t.Fatalf("%s cut at %d of %d: %v (%s)", name, cut, len(whole), err, class)
			}
			client.CloseIdleConnections()
		}
	}
}

// serveRaw answers one connection with text and closes it.
func serveRaw(t *testing.T, text string) (*http.Client, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		ln.Close()
		io.ReadFull(conn, make([]byte, 4))
		io.WriteString(conn, text)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	}()
	base := "http://" + ln.Addr().String()
	return &http.Client{Transport: NewGuard(GuardConfig{Ops: []string{"rds:DescribeDBInstances"}, Identify: byAction, Endpoint: mustURL(base)})}, base
}

func TestTimeoutIsNotCancellation(t *testing.T) {
	stall := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("body") {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
	for _, query := range []string{"", "&body"} {
		client, base, j := serve(t, GuardConfig{Timeout: 30 * time.Millisecond}, stall)
		_, err := fetch(t.Context(), client, base+describe+query)
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || ClassOf(err) != TimedOut {
			t.Errorf("timeout%s: %v", query, err)
		}
		if len(j.calls) != 1 || j.calls[0].Class != TimedOut {
			t.Errorf("timeout%s: journal %+v", query, j.calls)
		}

		client, base, _ = serve(t, GuardConfig{}, stall)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Millisecond, func() { cancel(os.ErrClosed) })
		_, err = fetch(ctx, client, base+describe+query)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, os.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || ClassOf(err) != Cancelled {
			t.Errorf("cancellation%s: %v", query, err)
		}

		ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err = fetch(ctx, client, base+describe+query)
		stop()
		if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) || ClassOf(err) != TimedOut {
			t.Errorf("caller's deadline%s: %v", query, err)
		}
	}
}

func TestWrappedEOFIsNoEnd(t *testing.T) {
	g := NewGuard(GuardConfig{Ops: []string{"op"}, Hosts: []string{"a.example.com"},
		Identify: func(*http.Request) (string, error) { return "op", nil },
		Base: roundTrip(func(*http.Request) (*http.Response, error) {
			body := iotest.ErrReader(fmt.Errorf("connection lost: %w", io.EOF))
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body)}, nil
		})})
	if _, err := fetch(t.Context(), &http.Client{Transport: g}, "https://a.example.com/"); ClassOf(err) != Transient {
		t.Errorf("%v (%s)", err, ClassOf(err))
	}
}

func TestTransportErrors(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	base := "http://" + ln.Addr().String()
	client := &http.Client{Transport: NewGuard(GuardConfig{Ops: []string{"rds:DescribeDBInstances"}, Identify: byAction, Endpoint: mustURL(base)})}
	if _, err := fetch(t.Context(), client, base+describe); ClassOf(err) != Transient {
		t.Errorf("refused connection: %v (%s)", err, ClassOf(err))
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	client = &http.Client{Transport: NewGuard(GuardConfig{Ops: []string{"rds:DescribeDBInstances"}, Identify: byAction, Endpoint: mustURL(srv.URL)})}
	if _, err := fetch(t.Context(), client, srv.URL+describe); ClassOf(err) != Other {
		t.Errorf("unknown certificate: %v (%s)", err, ClassOf(err))
	}
}
