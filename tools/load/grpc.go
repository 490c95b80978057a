package main

import (
	"context"
	"crypto/tls"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// streams is how many calls in flight one gRPC connection has at most. The gateway's limit is 100.
const streams = 64

// newGRPCCaller calls over gRPC. Each call is sent once: the client does not retry.
func newGRPCCaller(addr string, parallel int, encryption *tls.Config, authorization string) (*caller, error) {
	transport := insecure.NewCredentials()
	if encryption != nil {
		transport = credentials.NewTLS(encryption)
	}
	var conns []*grpc.ClientConn
	closeAll := func() {
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
	for range (parallel + streams - 1) / streams {
		conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(transport), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithNoProxy())
		if err != nil {
			closeAll()
			return nil, err
		}
		conns = append(conns, conn)
	}
	call := func(ctx context.Context, u update) (outcome, string) {
		if authorization != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
		}
		client := customerv1.NewCustomerServiceClient(conns[u.number%len(conns)])
		response, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: u.customer, Customer: &customerv1.Customer{Notes: &u.notes}})
		if err != nil {
			s := status.Convert(err)
			return errorOutcome(codeNumber(s.Code()), infoOf(s)), s.Message()
		}
		return okOutcome(response.GetCustomer().GetNotes() == u.notes), ""
	}
	return &caller{call: call, close: closeAll}, nil
}

func codeNumber(c codes.Code) int32 { return int32(c) } //nolint:gosec // there are 17 codes

func infoOf(s *status.Status) *errdetails.ErrorInfo {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}
