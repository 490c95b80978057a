package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// announce says that the gateway serves, and where. People get the banner: on a terminal, and with the sandbox store. All
// other readers get a line of the log. With --log-format=json nothing but the log is printed.
func announce(ctx context.Context, stdout io.Writer, cfg *config.Loaded, client *fluentcart.Client, l *listeners, logger *slog.Logger) {
	terminal := isTerminal(stdout)
	people := cfg.LogFormat == "text"
	if people && (terminal || cfg.Sandbox) {
		printBanner(stdout, cfg, client, l)
	}
	if !people || !terminal {
		logStart(ctx, cfg, l, logger)
	}
	for _, warning := range warnings(cfg, l) {
		logger.LogAttrs(ctx, slog.LevelWarn, warning)
	}
}

func isTerminal(output io.Writer) bool {
	file, ok := output.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// logStart logs the version, the addresses in use, and the settings. Programs read the line, so it is written at every
// --log-level.
func logStart(ctx context.Context, cfg *config.Loaded, l *listeners, logger *slog.Logger) {
	line := slog.NewRecord(time.Now(), slog.LevelInfo, "started", 0)
	line.AddAttrs(
		slog.String("version", version()),
		slog.String("grpc", l.grpc.Addr().String()),
		slog.String("http", l.http.Addr().String()),
		slog.String("admin", l.admin.Addr().String()),
	)
	if cfg.Sandbox {
		line.AddAttrs(slog.String("sandbox", l.sandbox.Addr().String()))
	}
	line.AddAttrs(slog.Attr{Key: "settings", Value: slog.GroupValue(cfg.Settings()...)})
	_ = logger.Handler().Handle(ctx, line) // it fails if stderr is closed
}
