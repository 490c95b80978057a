package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// asFaultyGateway makes the test binary a gateway with one of leaseFaults.
const asFaultyGateway = "E2E_FAULTY_GATEWAY"

// startFaultyGateway runs a gateway with one of leaseFaults until the test ends. Without a fault it is startGateway.
func startFaultyGateway(t testing.TB, fault, storeURL string, args ...string) *process {
	t.Helper()
	if fault == "" {
		return startGateway(t, storeURL, args...)
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0])
	command.Env = append(os.Environ(), asFaultyGateway+"="+fault)
	return startProcess(t, command, storeURL, args)
}

func runFaultyGateway(fault string, _ io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:forbidigo // the main function of a child process
	defer stop()
	if err := serveWithFault(ctx, leaseFaults[fault], os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serveWithFault assembles the parts of a gateway that a storm needs, and breaks its leases.
func serveWithFault(ctx context.Context, fault func(lease.Locker) lease.Locker, args []string) error {
	logger := slog.New(interceptor.LogHandler(slog.NewJSONHandler(os.Stderr, nil)))
	flags := &config.Flags{}
	parser, err := kong.New(flags)
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	cfg, err := config.Load((*config.Config)(flags), logger)
	if err != nil {
		return err
	}
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: cfg.StoreURL, GetTimeout: cfg.GetTimeout, PutTimeout: cfg.PutTimeout, Transport: fluentcart.NewTransport(),
		Credentials: fluentcart.As(cfg.StoreUsername, cfg.StorePassword.Get().Reveal()),
	})
	if err != nil {
		return err
	}
	var locker lease.Locker = lease.NewLocal(lease.LimitsOf(cfg.MaxQueue))
	if cfg.RedisURL != "" {
		shared, err := lease.NewRedis(lease.RedisConfig{
			URL: cfg.RedisURL, Store: strings.TrimPrefix(cfg.StoreURL, "http://"), Term: 2 * cfg.GetTimeout, SettleTime: cfg.SettleTime,
			Limits: lease.LimitsOf(cfg.MaxQueue), Logger: logger,
		})
		if err != nil {
			return err
		}
		go shared.Run(ctx)
		locker = shared
	}
	customers, err := service.New(service.Config{
		Store: client, Leases: fault(locker), MaxInFlight: cfg.MaxInFlight, MaxQueue: cfg.MaxQueue, SettleTime: cfg.SettleTime, Logger: logger,
	})
	if err != nil {
		return err
	}
	transports, err := server.New(server.Config{
		Customers: customers, Callers: cfg.Authenticator(), Shed: customers.Shed, Logger: logger,
		DefaultTimeout: cfg.DefaultTimeout, DrainTimeout: cfg.DrainTimeout, Finish: customers.Close,
	})
	if err != nil {
		return err
	}
	grpc, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.GRPCAddr)
	if err != nil {
		return err
	}
	http, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.HTTPAddr)
	if err != nil {
		return err
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "started", slog.String("grpc", grpc.Addr().String()), slog.String("http", http.Addr().String()))
	return transports.Run(ctx, grpc, http)
}
