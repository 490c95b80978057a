package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"

	"connectrpc.com/vanguard"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// serveVanguard serves the API definition by vanguard-go, which transcodes each gRPC call to one PUT by its HTTP
// annotations. It does not read the customer first, so a FluentCart store would clear what the call does not name.
func serveVanguard(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("vanguard", flag.ContinueOnError)
	store := flags.String("store", "", "the `address` of the store")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := url.Parse(*store)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: inFlight},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.SetBasicAuth(username, password)
		},
	}
	service := vanguard.NewServiceWithSchema(
		customerv1.File_fluentcart_customer_v1_customer_service_proto.Services().ByName("CustomerService"), proxy,
		vanguard.WithTargetProtocols(vanguard.ProtocolREST), vanguard.WithNoTargetCompression(),
	)
	transcoder, err := vanguard.NewTranscoder([]*vanguard.Service{service})
	if err != nil {
		return err
	}
	return listenAndServe(transcoder)
}
