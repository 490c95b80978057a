package customer

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// etagBytes is how much of the hash an etag holds: 128 bits.
const etagBytes = 16

// etag returns the version of a customer: a hash over the writable fields and the time of the last change. The time
// alone is not enough, because the store counts it in seconds. A customer without that time has no etag.
func etag(c *fluentcart.Customer) string {
	if c.UpdatedAt.IsZero() {
		return ""
	}
	var content []byte
	for _, f := range fields {
		v := f.get(c)
		content = strconv.AppendQuote(content, v.text)
		content = append(strconv.AppendInt(content, v.number, 10), '\n')
	}
	hash := sha256.Sum256(strconv.AppendInt(content, c.UpdatedAt.Unix(), 10))
	return base64.RawURLEncoding.EncodeToString(hash[:etagBytes])
}

// CheckEtag returns ETAG_MISMATCH if the requested etag is not the customer's. An empty one requires nothing.
func CheckEtag(requested string, stored *fluentcart.Customer) error {
	if requested == "" || requested == etag(stored) {
		return nil
	}
	return apierror.New(apierror.EtagMismatch, apierror.NotSent,
		"the customer was changed since this etag was read; read it again, and send the update with the new etag")
}
