package main

import (
	"errors"
	"testing"
	"time"

	"sptr.jp/tenken/fixtures"
)

// served starts the demo company, its clock standing still, and writes its configuration and roster below dir.
func served(t testing.TB, dir string, options ...fixtures.Option) (server *fixtures.Server, config string) {
	t.Helper()
	now := time.Now()
	server = fixtures.New(fixtures.Sptr(), append([]fixtures.Option{fixtures.DefaultAccount(demoAccount), fixtures.Clock(func() time.Time { return now })}, options...)...)
	url, stop, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := errors.Join(server.Errors()...); err != nil {
			t.Error(err)
		}
	})
	if config, err = unpack(dir, url); err != nil {
		t.Fatal(err)
	}
	return server, config
}

func demoConfig(t testing.TB, dir string) *config {
	t.Helper()
	_, path := served(t, dir)
	cfg, err := loadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
