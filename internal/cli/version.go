package cli

import (
	"fmt"
	"runtime/debug"
)

type version struct{}

// Run prints the version with the commit that it was built from.
func (version) Run(c *call) error {
	b := buildVersion()
	text := "pilotgate " + b.version
	if b.commit != "" {
		text += " (" + b.commit + b.dirty + ")"
	}
	return c.print(fmt.Sprintf("%s %s\n", text, b.goVersion))
}

type build struct{ version, commit, dirty, goVersion string }

// buildVersion is what the Go toolchain stamped into the program.
func buildVersion() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{version: "(unknown)"}
	}
	b := build{version: info.Main.Version, goVersion: info.GoVersion}
	if b.version == "" {
		b.version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value[:min(len(s.Value), 12)]
		case "vcs.modified":
			if s.Value == "true" {
				b.dirty = ", changed since"
			}
		}
	}
	return b
}
