package main

import (
	"io"
	"log"
	"os"

	"github.com/redis/go-redis/v9/logging"
	"google.golang.org/grpc/grpclog"
)

// silence keeps libraries from writing lines of their own between those of the log. What they have to say is in the
// errors too, and some of it is not to be said: net/http quotes what a store sends out of turn. gRPC can be made to talk
// by its own variables, GRPC_GO_LOG_SEVERITY_LEVEL first, for those who look for a fault in it.
func silence() {
	logging.Disable() // go-redis
	log.SetOutput(io.Discard)
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}
