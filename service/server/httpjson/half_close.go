package httpjson

import (
	"context"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// halfCloseTime is how long after its request a client may close its side of the connection and still be waiting for the
// answer. A client that gives up closes its connection, too, and TCP does not tell the two apart; it does so later, after
// a timeout of its own.
const halfCloseTime = time.Second

// outlivingHalfClose returns the context of the call of a request that has been received. net/http ends the context of
// the request as soon as it can read no more from the connection. This one goes on if the client only closed its side of
// the connection right after its request, as `nc -N` and some proxies do.
func outlivingHalfClose(request context.Context) (context.Context, context.CancelFunc) {
	received := time.Now()
	ctx, cancel := context.WithCancel(context.WithoutCancel(request))
	stop := context.AfterFunc(request, func() {
		if conn := connlimit.Of(request); conn != nil && !conn.Broken() && time.Since(received) < halfCloseTime {
			select {
			case <-conn.Done(): // the gateway stops
			case <-ctx.Done():
			}
		}
		cancel()
	})
	return ctx, func() {
		stop()
		cancel()
	}
}
