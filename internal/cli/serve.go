package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"

	"github.com/pilotgate/pilotgate/internal/server"
)

type serve struct {
	Config string `placeholder:"FILE" help:"The server's settings; config/server.example.yml explains each. Environment variables win."`
}

// Run serves until it is told to stop, then drains.
func (s serve) Run(c *call) error {
	config, err := server.Load(s.Config)
	if err != nil {
		return advise("see config/server.example.yml", "%w", err)
	}
	level, err := zerolog.ParseLevel(config.Log.Level)
	if err != nil {
		return advise("use debug, info, warn or error", "log.level is %q", config.Log.Level)
	}
	zerolog.TimeFieldFormat = time.RFC3339
	log := zerolog.New(c.Stderr).Level(level).With().Timestamp().Logger()
	if config.Log.Format == "console" {
		log = log.Output(zerolog.ConsoleWriter{Out: c.Stderr, NoColor: c.Plain || !c.StderrTerminal})
	}
	if os.Getenv("GOGC") == "" {
		// Half of Go's own: what a look leaves is garbage at once, and a tenth of
		// the processor's time buys a tenth of the memory.
		debug.SetGCPercent(50)
	}
	pilotgate, err := server.New(c.Context, config, server.Options{Log: log, Pacing: server.GitHubPacing})
	if err != nil {
		return advise("see config/server.example.yml", "start the server: %w", err)
	}
	if err := pilotgate.Run(c.Context); err != nil && !errors.Is(err, c.Context.Err()) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
