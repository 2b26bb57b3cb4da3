package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"sptr.jp/tenken/fixtures"
)

func demoCommand(e env) *cobra.Command {
	var f scanFlags
	var serve bool
	var address string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Scan the demo company through the real SDKs; needs no credential and no network",
		Long:  "Serve the demo company from this program, scan it over HTTP with the real SDKs into --out, and say where to look. With --serve it stays up and writes a tenken.yaml that points at it.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return demo(c.Context(), e, f, serve, address)
		},
	}
	f.register(c)
	c.Flags().BoolVar(&serve, "serve", false, "keep the demo company up and write a tenken.yaml that points at it")
	c.Flags().StringVar(&address, "address", "127.0.0.1:0", "the loopback address to serve on")
	return c
}

// demoAccount is the account of the demo credential: the organisation's management account.
const demoAccount = "333333333333"

func demo(ctx context.Context, e env, f scanFlags, serve bool, address string) error {
	server := fixtures.New(fixtures.Sptr(), fixtures.DefaultAccount(demoAccount))
	url, stop, err := server.Start(address)
	if err != nil {
		return fmt.Errorf("serving the demo company: %w", err)
	}
	defer stop()
	path, err := unpack(f.out, url)
	if err != nil {
		return err
	}
	if serve {
		fmt.Fprintf(e.stdout, say(f.lang, "デモ会社は %s で応答しています。止めるには Ctrl-C。\n別の端末で: tenken scan --config %s\n",
			"The demo company answers at %s until you interrupt this.\nIn another terminal: tenken scan --config %s\n"), url, path)
		<-ctx.Done()
		return nil
	}
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	err = scan(ctx, e, cfg, f)
	var exit *exitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil // the faults of the demo company are meant
	}
	if err == nil {
		fmt.Fprintf(e.stdout, "\n%s\n", say(f.lang, "デモ会社の不備は意図したものです。詳しく見るには: tenken show <名前> --run "+filepath.Join(f.out, runFile),
			"The demo company's faults are meant. To look closer: tenken show <name> --run "+filepath.Join(f.out, runFile)))
	}
	return errors.Join(append([]error{err}, server.Errors()...)...)
}

// unpack writes the demo company's roster and configuration below dir, with every cloud system pointed at the server.
func unpack(dir, url string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the output folder: %w", err)
	}
	var path string
	for _, name := range []string{"people.csv", "tenken.yaml"} {
		b, err := fs.ReadFile(fixtures.Sptr(), name)
		if err != nil {
			return "", fmt.Errorf("reading the demo company: %w", err)
		}
		if name == "tenken.yaml" {
			if b, err = withEndpoints(b, url); err != nil {
				return "", err
			}
		}
		path = filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return "", fmt.Errorf("unpacking the demo company: %w", err)
		}
	}
	return path, nil
}

// withEndpoints adds the server's address to every cloud system of a configuration.
func withEndpoints(b []byte, url string) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("the demo company's configuration: %w", err)
	}
	root := doc.Content[0]
	for i := 0; i < len(root.Content); i += 2 {
		if root.Content[i].Value != "systems" {
			continue
		}
		for _, sys := range root.Content[i+1].Content {
			var s system
			if err := sys.Decode(&s); err != nil {
				return nil, fmt.Errorf("the demo company's configuration: %w", err)
			}
			if p, _ := providerOf(s.Type); slices.Contains(p.keys, "endpoint") {
				sys.Content = append(sys.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "endpoint"}, &yaml.Node{Kind: yaml.ScalarNode, Value: url})
			}
		}
	}
	out, err := yaml.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("the demo company's configuration: %w", err)
	}
	return out, nil
}

// say picks the language, Japanese unless told.
func say(lang, ja, en string) string {
	if lang == "en" {
		return en
	}
	return ja
}
