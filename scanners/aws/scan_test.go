package aws_test

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"sptr.jp/tenken/fixtures"
	"sptr.jp/tenken/scanners/aws"
)

const (
	management = "333333333333"
	member     = "222222222222"
	tokyo      = "ap-northeast-1"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// serve starts a server over a tree and makes a scanner before it. The server's complaints fail the test.
func serve(t testing.TB, files fs.FS, c aws.Config, options ...fixtures.Option) (*fixtures.Server, *aws.Scanner) {
	t.Helper()
	server := fixtures.New(files, append([]fixtures.Option{fixtures.DefaultAccount(management), fixtures.Clock(func() time.Time { return noon })}, options...)...)
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	t.Cleanup(func() {
		for _, err := range server.Errors() {
			t.Errorf("the server complains: %v", err)
		}
	})
	c.System, c.Endpoint, c.Now = "sp", url, func() time.Time { return noon }
	s, err := aws.New(context.Background(), c, aws.Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return server, s
}
