package client_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// connect returns the stubs, over TLS and with a token. Its connection lasts as long as the program.
func connect() customerv1.CustomerServiceClient {
	conn, err := grpc.NewClient(address, append(client.DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})),
		grpc.WithPerRPCCredentials(client.Token(token)))...)
	if err != nil {
		log.Fatal(err)
	}
	return customerv1.NewCustomerServiceClient(conn)
}

// TLS with a CA of one's own, and a token.
func ExampleDialOptions() {
	conn, err := grpc.NewClient(address, append(client.DialOptions(),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})),
		grpc.WithPerRPCCredentials(client.Token(token)))...)
	if err != nil {
		log.Fatal(err)
	}
	customers := customerv1.NewCustomerServiceClient(conn)
	response, err := customers.GetCustomer(context.Background(), &customerv1.GetCustomerRequest{CustomerId: 1})
	fmt.Println(response.GetCustomer().GetEmail(), err)
	_ = conn.Close()
	// Output: ann@example.com <nil>
}

// A deadline of the caller's own. It bounds all attempts together. Without one it is 30 seconds.
func Example_deadline() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	response, err := connect().UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: 1,
		Customer:   &customerv1.Customer{Country: proto.String("CH")},
	})
	fmt.Println(response.GetCustomer().GetCountry(), err)
	// Output: CH <nil>
}

// Only the fields that are set are written. A mask names fields too; one that is named and not set is cleared.
func Example_partialUpdate() {
	customers := connect()
	response, err := customers.UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1,
		Customer:   &customerv1.Customer{City: proto.String("Lyon")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.GetChangedFields())

	response, err = customers.UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1,
		Customer:   &customerv1.Customer{Postcode: proto.String("69001")},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"postcode", "notes"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.GetChangedFields())
	fmt.Printf("notes %q, city %q\n", response.GetCustomer().GetNotes(), response.GetCustomer().GetCity())
	// Output:
	// [city]
	// [postcode notes]
	// notes "", city "Lyon"
}

// A dry run answers as the update would, and writes nothing.
func Example_dryRun() {
	customers := connect()
	response, err := customers.UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId:   1,
		Customer:     &customerv1.Customer{State: proto.String("ARA")},
		ValidateOnly: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("would change:", response.GetChangedFields())

	stored, err := customers.GetCustomer(context.Background(), &customerv1.GetCustomerRequest{CustomerId: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("stored:", stored.GetCustomer().GetState())
	// Output:
	// would change: [state]
	// stored: IDF
}

// With the etag of a read, the update is made only if the customer has not changed since.
func Example_etag() {
	customers := connect()
	read, err := customers.GetCustomer(context.Background(), &customerv1.GetCustomerRequest{CustomerId: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, state := range []string{"VD", "GE"} { // the second update has the etag from before the first one
		response, err := customers.UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
			CustomerId: 1,
			Customer:   &customerv1.Customer{State: proto.String(state)},
			Etag:       read.GetCustomer().GetEtag(),
		})
		if client.Reason(err) == "ETAG_MISMATCH" {
			fmt.Println("the customer has changed: read again, decide again")
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("updated, and the etag is a new one:", response.GetCustomer().GetEtag() != read.GetCustomer().GetEtag())
	}
	// Output:
	// updated, and the etag is a new one: true
	// the customer has changed: read again, decide again
}

// The reaction to an error depends on whether the customer was written.
func ExampleOutcome() {
	customers := connect()
	_, err := customers.UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId: 3,
		Customer:   &customerv1.Customer{City: proto.String("Dallas")},
	})
	switch client.Outcome(err) {
	case client.Written:
		fmt.Println("done")
	case client.NotWritten:
		fmt.Println("nothing was written:", client.Reason(err))
	case client.Unknown:
		// The update may have been written, or may still be. Read the customer before sending it again.
		read, err := customers.GetCustomer(context.Background(), &customerv1.GetCustomerRequest{CustomerId: 3})
		fmt.Println("the city is now", read.GetCustomer().GetCity(), err)
	}
	// Output: nothing was written: WORDPRESS_USER_UPDATE_FAILED
}

// The faults of a request, for a form.
func ExampleViolations() {
	_, err := connect().UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1,
		Customer:   &customerv1.Customer{City: proto.String("Llanfairpwllgwyngyllgogerychwyrndrobwllllantys")},
	})
	for field, fault := range client.Violations(err) {
		fmt.Printf("%s %s\n", field, fault)
	}
	// Output: city must be at most 45 characters; it has 46
}
