package customer

import (
	"maps"
	"slices"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/nearest"
)

// otherNames are names that other programs and shops have for the fields.
var otherNames = map[string]string{
	"name": "full_name", "customer_name": "full_name", "display_name": "full_name",
	"given_name": "first_name", "forename": "first_name", "family_name": "last_name", "surname": "last_name",
	"mail": "email", "email_address": "email", "user_email": "email",
	"town": "city", "locality": "city", "region": "state", "province": "state", "county": "state", "country_code": "country",
	"zip": "postcode", "zip_code": "postcode", "postal": "postcode", "postal_code": "postcode",
	"comment": "notes", "comments": "notes", "remark": "notes", "wp_user_id": "user_id", "wordpress_user_id": "user_id",
}

// Meant asks whether a writable field was meant by a name that is none, as a part of an error text. It is empty if no field
// is like the name.
func Meant(name string) string {
	names := make([]string, fieldCount, int(fieldCount)+len(otherNames))
	for i, f := range fields {
		names[i] = f.name
	}
	near := nearest.Name(name, append(names, slices.Sorted(maps.Keys(otherNames))...))
	if near == "" {
		return ""
	}
	if field, ok := otherNames[near]; ok {
		near = field
	}
	return " (did you mean " + near + "?)"
}

// IsWritable reports whether a writable field has the name.
func IsWritable(name string) bool {
	_, ok := fieldNamed(name)
	return ok
}
