package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// The customer of every store here: what a GET and a PUT of a FluentCart store answer, with the id filled in.
const (
	columns = `"id":%s,"user_id":null,"contact_id":"0","email":"ann@example.com","first_name":"Ann","last_name":"Lee","status":"active",` +
		`"purchase_value":{"USD":24900},"purchase_count":"3","ltv":"24900","first_purchase_date":"2025-06-10 09:15:00",` +
		`"last_purchase_date":"2025-09-20 14:30:00","aov":"8300.00","notes":"prefers email","uuid":"11111111111111111111111111111111",` +
		`"country":"FR","city":"CITY","state":"IDF","postcode":"75001","created_at":"2025-06-10T09:15:00+00:00",` +
		`"updated_at":"2026-11-23T17:47:52+00:00","full_name":"Ann Lee","photo":"https://example.com/avatar/1?s=100&#038;d=mm","country_name":"France",` +
		`"formatted_address":{"country":"France","state":"Ile-de-France","city":"CITY","postcode":"75001"},"user_link":""`
	storedCity = "Paris"
	newCity    = "Lyon"
)

// serveStore serves a store that is as fast as net/http allows: it answers each GET and each PUT from a template, and so does its
// companion. Every GET shows the old city, and every PUT the new one.
func serveStore(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("store", flag.ContinueOnError)
	latency := flags.Duration("latency", 0, "how long each response takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	read := `{"customer":{` + strings.ReplaceAll(columns, "CITY", storedCity) + `}}`
	written := `{"message":"Customer updated successfully!","data":{` + strings.ReplaceAll(columns, "CITY", newCity) + `}}`
	inContract := written // vanguard decodes it by the API definition, which has other times
	for _, date := range []string{"2025-06-10 09:15:00", "2025-09-20 14:30:00"} {
		inContract = strings.Replace(inContract, date, strings.Replace(date, " ", "T", 1)+"Z", 1)
	}
	companion := serveCompanion()
	return listenAndServe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(*latency) //nolint:forbidigo // a slow store
		if strings.HasPrefix(r.URL.Path, companionRoute) {
			companion(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		template := read
		if r.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, r.Body)
			template = written
			if strings.HasPrefix(r.URL.Path, "/v1/") {
				template = inContract
			}
		}
		_, _ = fmt.Fprintf(w, template, lastSegment(r.URL.Path)) //nolint:gosec // a path of the load
	}))
}

// listenAndServe serves over HTTP/1.1 and HTTP/2 on a free port of the loopback interface, prints its address, and ends
// with the process that started it.
func listenAndServe(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the process
	if err != nil {
		return err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: &protocols, ReadHeaderTimeout: time.Minute}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Fprintf(os.Stderr, "msg=started grpc= http=%s\n", listener.Addr()) // as a gateway logs it
	return server.Serve(listener)
}
