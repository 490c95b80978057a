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
// alone is not enough, because the store counts it in seconds. If the store has no usable time, the fields are all.
func etag(c *fluentcart.Customer) string {
	var content []byte
	for _, f := range fields {
		v := f.get(c)
		content = strconv.AppendQuote(content, v.text)
		content = append(strconv.AppendInt(content, v.number, 10), '\n')
	}
	if !c.UpdatedAt.IsZero() {
		content = strconv.AppendInt(content, c.UpdatedAt.Unix(), 10)
	}
	hash := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(hash[:etagBytes])
}

// CheckEtag returns ETAG_MISMATCH if the requested etag is not the customer's. An empty one requires nothing.
func CheckEtag(requested string, stored *fluentcart.Customer) error {
	if requested == "" || NamesVersion(requested, etag(stored)) {
		return nil
	}
	return apierror.New(apierror.EtagMismatch, apierror.NotSent,
		"the customer was changed since this etag was read; read it again, and send the update with the new etag")
}
