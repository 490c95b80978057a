// Program go reads and updates customers over gRPC, with the gateway's Go client:
//
//	GATEWAY_ADDR=127.0.0.1:9090 GATEWAY_TOKEN= go run .
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, failure(err))
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	address := os.Getenv("GATEWAY_ADDR")
	if address == "" {
		address = "127.0.0.1:9090"
	}
	options := append(client.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials())) // with TLS: credentials.NewTLS(nil)
	if token := os.Getenv("GATEWAY_TOKEN"); token != "" {
		options = append(options, grpc.WithPerRPCCredentials(client.Token(token)))
	}
	conn, err := grpc.NewClient(address, options...)
	if err != nil {
		return err
	}
	defer conn.Close()
	customers := customerv1.NewCustomerServiceClient(conn)

	// The call that FluentCart documents, with its nine fields.
	documented, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{
		Email: proto.String("customer@example.com"), FullName: proto.String("John Doe"), City: proto.String("Paris"),
		Status: proto.String("active"), Notes: proto.String("prefers email"), Country: proto.String("FR"),
		State: proto.String("IDF"), Postcode: proto.String("75001"), UserId: proto.Int64(0),
	}})
	if err != nil {
		return err
	}
	fmt.Println("documented call:", documented.GetMessage())

	read, err := customers.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: 1})
	if err != nil {
		return err
	}
	fmt.Printf("read: %s, %s\n", read.GetCustomer().GetFullName(), read.GetCustomer().GetCity())

	// Only the fields that are set change. proto.String("") clears a field.
	partial, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")},
	})
	if err != nil {
		return err
	}
	fmt.Printf("partial update: changed %s; the notes stay: %s\n", strings.Join(partial.GetChangedFields(), ", "), partial.GetCustomer().GetNotes())

	// A dry run reads, checks and answers, and writes nothing.
	dryRun, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{Postcode: proto.String("69001")}, ValidateOnly: true,
	})
	if err != nil {
		return err
	}
	fmt.Println("dry run: would change", strings.Join(dryRun.GetChangedFields(), ", "))

	// With an etag the update is written only if nobody has changed the customer since it was read.
	etag := partial.GetCustomer().GetEtag()
	updated, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{Notes: proto.String("prefers phone")}, Etag: etag,
	})
	if err != nil {
		return err
	}
	fmt.Println("with the etag: changed", strings.Join(updated.GetChangedFields(), ", "))

	_, err = customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{Notes: proto.String("prefers letters")}, Etag: etag,
	})
	fmt.Println("with the old etag:", failure(err))

	_, err = customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(strings.Repeat("x", 46))},
	})
	fmt.Println("a city that is too long:", failure(err))

	// Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
	_, err = customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 3, Customer: &customerv1.Customer{City: proto.String("Lyon")},
	})
	fmt.Println("a linked user that is gone:", failure(err))
	return nil
}

// failure says what an error means for the write.
func failure(err error) string {
	reason, outcome := client.Reason(err), ""
	if reason == "" {
		reason = fmt.Sprint(err) // the gateway did not make this error
	}
	switch client.Outcome(err) {
	case client.Written:
		return "written"
	case client.NotWritten:
		outcome = "nothing was written"
	case client.Unknown:
		outcome = "unknown: read the customer before you send the update again"
	}
	parts := []string{reason + ", " + outcome}
	for field, description := range client.Violations(err) {
		parts = append(parts, field+": "+description)
	}
	slices.Sort(parts[1:])
	return strings.Join(parts, "; ")
}
