package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/grevy-io/grevy"
)

type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Protocol string `json:"protocol"` // of the clients, as the topology says it
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Example: "  grevy version -o json", Args: arguments(), RunE: func(*cobra.Command, []string) error {
		v := buildVersion()
		if a.json() {
			return a.document(v)
		}
		revision := ""
		if v.Revision != "" {
			revision = " " + v.Revision
		}
		_, err := fmt.Fprintf(a.out, "grevy %s%s, Zeebe protocol %s, %s, %s\n", v.Version, revision, v.Protocol, v.Go, v.Platform)
		return err
	}}
}

func buildVersion() versionInfo {
	v := versionInfo{Version: "devel", Protocol: grevy.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Revision = s.Value[:min(12, len(s.Value))]
		}
	}
	return v
}
