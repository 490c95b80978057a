package server

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// maxLongStreams is how many streams that are no calls a connection may have at a time: watching the health of a few
// services, and one question about the contract. They end with their connection.
const maxLongStreams = 16

// fewStreams bounds the streams that are no calls.
func fewStreams() grpc.StreamServerInterceptor {
	tooMany := refusal(codes.ResourceExhausted, reasonTooManyStreams, "this connection has 16 streams of health checks and reflection open; end one first").Err()
	return func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if c := connectionOf(stream.Context()); c != nil {
			defer c.long.Add(-1)
			if c.long.Add(1) > maxLongStreams {
				return tooMany
			}
		}
		return handler(service, stream)
	}
}
