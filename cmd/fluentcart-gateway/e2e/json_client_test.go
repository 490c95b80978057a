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
	"google.golang.org/protobuf/proto"

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
	response := &customerv1.UpdateCustomerResponse{}
	path := fmt.Sprintf("/v1/customers/%d?validate_only=%t", request.GetCustomerId(), request.GetValidateOnly())
	if id := request.GetRequestId(); id != "" {
		path += "&request_id=" + id
	}
	return response, c.send(ctx, pick([]string{http.MethodPatch, http.MethodPut}), path, string(body), response)
}

func (c jsonClient) GetCustomer(ctx context.Context, request *customerv1.GetCustomerRequest, _ ...grpc.CallOption) (*customerv1.GetCustomerResponse, error) {
	response := &customerv1.GetCustomerResponse{}
	return response, c.send(ctx, http.MethodGet, fmt.Sprintf("/v1/customers/%d", request.GetCustomerId()), "", response)
}

// send sends a request, and reads the answer into response. It returns an error answer as the error of a gRPC client.
func (c jsonClient) send(ctx context.Context, method, path, body string, response proto.Message) error {
	call, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return err
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
			return status.FromContextError(err).Err()
		}
		return status.Error(codes.Unavailable, err.Error())
	}
	defer answer.Body.Close()
	if c.answered != nil {
		c.answered(answer)
	}
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return status.FromContextError(err).Err()
	}
	if answer.StatusCode != http.StatusOK {
		failed := &spb.Status{}
		if err := protojson.Unmarshal(content, failed); err != nil {
			return err
		}
		return status.FromProto(failed).Err()
	}
	return protojson.Unmarshal(content, response)
}
