package service

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// etag is the version of a customer: a hash over what the gateway may write, and the time of the last change.
// The time alone would not do, since the store counts it in seconds.
func etag(c *fluentcart.Customer) string {
	hash := sha256.New()
	for _, f := range fields {
		fmt.Fprintf(hash, "%q\n", f.get(c))
	}
	fmt.Fprint(hash, c.UpdatedAt.Unix())
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16])
}

// checkEtag refuses a request whose etag is not that of the customer as it is now. No etag asks for nothing.
func checkEtag(requested string, now *fluentcart.Customer) error {
	if requested == "" || requested == etag(now) {
		return nil
	}
	return etagMismatch()
}
