package main

import (
	"fmt"
	"io"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// announce says what the gateway talks to and where it listens. Programs read the first lines: a word, spaces, an
// address.
func announce(out io.Writer, cfg *serveConfig, client *fluentcart.Client, l *listeners) {
	target := client.String()
	if cfg.Sandbox {
		target = "the built-in sandbox; nothing is kept"
	}
	fmt.Fprintf(out, "fluentcart-gateway %s, write mode %s, in front of %s\n\n", version(), cfg.WriteMode, target)
	fmt.Fprintf(out, "gRPC      %s\n", l.grpc.Addr())
	fmt.Fprintf(out, "JSON      http://%s\n", l.http.Addr())
	if cfg.RedisURL != "" {
		fmt.Fprintf(out, "Redis     %s, for taking turns with other gateways\n", redisHost(cfg))
	}
	if cfg.Sandbox {
		fmt.Fprintf(out, "sandbox   http://%s\n", l.sandbox.Addr())
		fmt.Fprintf(out, `
Update customer 1, over gRPC and over JSON:

  grpcurl -plaintext -d '{"customer_id":1,"customer":{"city":"Lyon"}}' %s fluentcart.customer.v1.CustomerService/UpdateCustomer

  curl -X PATCH http://%s/v1/customers/1 -H 'Content-Type: application/json' -d '{"city":"Nice"}'

See the customer as the store has it (there are 1 to 4):

  curl -u '%s:%s' http://%s/wp-json/fluent-cart/v2/customers/1
`, l.grpc.Addr(), l.http.Addr(), sandbox.AdminUsername, sandbox.AdminPassword, l.sandbox.Addr())
	}
	if cfg.AllowUserLink {
		fmt.Fprintln(out, "\nAttention: --allow-user-link lets every caller take over WordPress accounts.")
	}
	fmt.Fprintln(out, "\nCtrl-C stops.")
}
