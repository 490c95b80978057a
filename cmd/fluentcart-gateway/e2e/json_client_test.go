package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// jsonClient calls the HTTP/JSON gateway with the interface of a gRPC client, so that tests use both in the same way.
type jsonClient struct {
	url  string
	http *http.Client
	// authorization, if set, returns the header of the next call.
	authorization func() string
	// answered, if set, gets each answer.
	answered func(*http.Response)
}

func (c jsonClient) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest, _ ...grpc.CallOption) (*customerv1.UpdateCustomerResponse, error) {
	body, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(request.GetCustomer())
	if err != nil {
		return nil, err
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPatch, fmt.Sprintf("%s/v1/customers/%d?validate_only=%t", c.url, request.GetCustomerId(), request.GetValidateOnly()), strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		call.Header.Set("Grpc-Timeout", fmt.Sprintf("%dm", max(time.Until(deadline).Milliseconds(), 1)))
	}
	if c.authorization != nil {
		call.Header.Set("Authorization", c.authorization())
	}
	answer, err := c.http.Do(call)
	if err != nil {
		if ctx.Err() != nil {
			return nil, status.FromContextError(err).Err()
		}
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	defer answer.Body.Close()
	if c.answered != nil {
		c.answered(answer)
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, status.FromContextError(err).Err()
	}
	if answer.StatusCode != http.StatusOK {
		failed := &spb.Status{}
		if err := protojson.Unmarshal(content, failed); err != nil {
			return nil, err
		}
		return nil, status.FromProto(failed).Err()
	}
	response := &customerv1.UpdateCustomerResponse{}
	return response, protojson.Unmarshal(content, response)
}
