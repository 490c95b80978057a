package client_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// fakeGateway behaves as a gateway in front of its sandbox store does, as far as the examples need it. A test of the
// server runs the same examples against a real gateway.
type fakeGateway struct {
	customerv1.UnimplementedCustomerServiceServer

	mu        sync.Mutex
	customers map[int64]*customerv1.Customer
	version   int
}

func newFakeGateway() *fakeGateway {
	return &fakeGateway{customers: map[int64]*customerv1.Customer{
		1: {
			Id: 1, Email: proto.String("ann@example.com"), FullName: proto.String("Ann Lee"), City: proto.String("Paris"), State: proto.String("IDF"),
			Country: proto.String("FR"), Postcode: proto.String("75001"), Notes: proto.String("prefers email"), Etag: "0",
		},
		3: {Id: 3, Email: proto.String("cyd@example.com"), City: proto.String("Austin"), UserId: proto.Int64(99999), Etag: "0"},
	}}
}

func (f *fakeGateway) GetCustomer(ctx context.Context, request *customerv1.GetCustomerRequest) (*customerv1.GetCustomerResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	customer, err := f.find(ctx, request.GetCustomerId())
	return &customerv1.GetCustomerResponse{Customer: customer}, err
}

func (f *fakeGateway) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	customer, err := f.find(ctx, request.GetCustomerId())
	if err != nil {
		return nil, err
	}
	if n := len(request.GetCustomer().GetCity()); n > 45 {
		description := fmt.Sprintf("must be at most 45 characters; it has %d", n)
		return nil, failed(codes.InvalidArgument, "INVALID_FIELD", "not_sent", &errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "city", Description: description}},
		})
	}
	if etag := request.GetEtag(); etag != "" && etag != customer.GetEtag() {
		return nil, failed(codes.Aborted, "ETAG_MISMATCH", "not_sent")
	}
	changed := merge(customer, request)
	switch {
	case len(changed) == 0 || request.GetValidateOnly():
	case customer.GetUserId() == 99999:
		return nil, failed(codes.FailedPrecondition, "WORDPRESS_USER_UPDATE_FAILED", "rejected")
	default:
		f.version++
		customer.Etag = strconv.Itoa(f.version)
		f.customers[customer.GetId()] = customer
	}
	return &customerv1.UpdateCustomerResponse{Customer: customer, ChangedFields: changed}, nil
}

// find returns a copy of a customer, for a caller who has the token.
func (f *fakeGateway) find(ctx context.Context, id int64) (*customerv1.Customer, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if authorization := md.Get("authorization"); len(authorization) != 1 || authorization[0] != "Bearer "+fakeToken {
		return nil, failed(codes.Unauthenticated, "CALLER_UNAUTHENTICATED", "not_sent")
	}
	customer, ok := f.customers[id]
	if !ok {
		return nil, failed(codes.NotFound, "CUSTOMER_NOT_FOUND", "not_sent")
	}
	return proto.Clone(customer).(*customerv1.Customer), nil
}

// merge changes what the request names, and returns the names of the changed fields.
func merge(customer *customerv1.Customer, request *customerv1.UpdateCustomerRequest) []string {
	var changed []string
	to, from := customer.ProtoReflect(), request.GetCustomer().ProtoReflect()
	fields := to.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		named := from.Has(field)
		if paths := request.GetUpdateMask().GetPaths(); paths != nil {
			named = strings.Contains(","+strings.Join(paths, ",")+",", ","+string(field.Name())+",")
		}
		if named && !to.Get(field).Equal(from.Get(field)) {
			to.Set(field, from.Get(field))
			changed = append(changed, string(field.Name()))
		}
	}
	return changed
}

// failed returns an error as the gateway makes it.
func failed(code codes.Code, reason, writeState string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Domain: "fluentcart-gateway", Reason: reason, Metadata: map[string]string{"write_state": writeState}}
	s, err := status.New(code, "message").WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		panic(err)
	}
	return s.Err()
}
