package service

import (
	"errors"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// badRead says why the response to a read cannot be used, and what the operator can do about it. The write was not sent.
func badRead(failure *fluentcart.Error) string {
	if cached, ok := errors.AsType[*fluentcart.CacheError](failure); ok {
		by := "the response is older than what this gateway has seen of the customer"
		if cached.Mark != "" {
			by = "its header " + cached.Mark + " says so"
		}
		return "a cache in front of the store answered the read (" + by + "), and merging such a response could put back old values; nothing was written; the operator must exclude /wp-json/fluent-cart/ from the cache"
	}
	if coded, ok := errors.AsType[*fluentcart.CodingError](failure); ok {
		return "the store's response to the read cannot be unpacked: its content coding is " + coded.Coding + ", and the gateway accepts gzip only; nothing was written; the operator must correct what compresses the responses of /wp-json/fluent-cart/"
	}
	if header, ok := errors.AsType[*fluentcart.HeaderError](failure); ok {
		return "the store's response to the read is not valid HTTP: its header " + header.Fault + "; nothing was written; the operator must correct the server, proxy or plug-in that sends it"
	}
	return "the store's response to the read is not a customer; the operator should check what --store-url points to"
}
