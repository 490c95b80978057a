package httpjson

import (
	"net/http"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/browser"
)

// checkBrowser returns the rejection of a browser's request, or nil. Any web page can make a browser on this machine
// send a POST. Its owner can also point the page's own name to the address of this machine (DNS rebinding), after which
// the origin looks the same; that is harmless where callers are authenticated.
func (g *gateway) checkBrowser(r *http.Request) *apierror.Error {
	switch {
	case g.origins.Check(r) != nil:
		return g.otherOrigin
	case g.anyoneCalls && browser.MayBeRebound(r):
		return g.otherName
	}
	return nil
}
