package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"sptr.jp/tenken/findings/run"
	"sptr.jp/tenken/rules/policy"
)

// toolVersion is the module's version, or the commit it was built from.
func toolVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value[:min(12, len(s.Value))]
		}
	}
	if v == "" {
		return "(devel)"
	}
	return v
}

func versionCommand(e env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions that a run's head names",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, catalog, err := loadRules()
			if err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "tenken %s (%s %s/%s)\nrules %s\npolicy %s\nrun file %s\n", toolVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH,
				catalog.Version(), policy.Version(), run.Version)
			return nil
		},
	}
}
