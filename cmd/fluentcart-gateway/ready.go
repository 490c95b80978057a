package main

import (
	"context"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// notReady returns why calls cannot be served. It asks nobody, and least of all the store: it is asked often.
//
// A store that fails is no reason. All gateways have the same one, and whoever took them all away would only take away
// the answer that says so, and the calls by which it is found out that the store is back. Redis is asked each second
// without a caller, so there is no harm in keeping them away from a gateway that would write nothing. Credentials that
// the store has refused are this gateway's own: another may have newer ones.
func (c *serveConfig) notReady(ctx context.Context, client *fluentcart.Client, leases *sharedOrLocal) []string {
	var problems []string
	if leases.shared != nil {
		switch unavailable := leases.shared.Unavailable(); {
		case unavailable == nil:
		case unavailable.Err == nil:
			problems = append(problems, "Redis has started anew, and leases that it may have forgotten have not ended")
		default:
			problems = append(problems, "Redis does not answer")
		}
	}
	if c.CallerAuth != authStore && client.CredentialsRefused(ctx) {
		problems = append(problems, "the store refuses the gateway's credentials")
	}
	if c.files.tls != nil && time.Now().After(c.certificateExpiry()) {
		problems = append(problems, "the certificate of the doors has expired")
	}
	return problems
}

// certificateExpiry is when the certificate of the doors expires.
func (c *serveConfig) certificateExpiry() time.Time {
	return c.files.tls.Get().Certificates[0].Leaf.NotAfter
}
