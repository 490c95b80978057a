package service

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// etag is the version of a customer: a hash over what the gateway may write, and the time of the last change.
// The time alone would not do, since the store counts it in seconds. Where the store does not tell the time there
// is none: it could never match.
func etag(c *fluentcart.Customer) string {
	if c.UpdatedAt.IsZero() {
		return ""
	}
	var content []byte
	for _, f := range fields {
		content = append(strconv.AppendQuote(content, f.get(c)), '\n')
	}
	hash := sha256.Sum256(strconv.AppendInt(content, c.UpdatedAt.Unix(), 10))
	return base64.RawURLEncoding.EncodeToString(hash[:16])
}

// checkEtag refuses a request whose etag is not that of the customer as it is now. No etag asks for nothing.
func checkEtag(requested string, now *fluentcart.Customer) error {
	if requested == "" || requested == etag(now) {
		return nil
	}
	return etagMismatch()
}
