package httpjson

import (
	"context"
	"net/http"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// setETag copies the etag of the customer in a response to the ETag header.
func setETag(_ context.Context, w http.ResponseWriter, response proto.Message) error {
	holder, _ := response.(interface{ GetCustomer() *customerv1.Customer })
	if holder != nil && holder.GetCustomer().GetEtag() != "" {
		w.Header().Set("ETag", `"`+holder.GetCustomer().GetEtag()+`"`)
	}
	return nil
}
