#!/usr/bin/env bash
# Reads and updates customers over gRPC, with grpcurl and jq. The server has reflection, so grpcurl needs no proto files:
#
#   GATEWAY_ADDR=127.0.0.1:9090 bash grpcurl.sh
set -euo pipefail
address=${GATEWAY_ADDR:-127.0.0.1:9090}

# call prints the response, or the error, as JSON. With TLS leave out -plaintext; where callers authenticate, add
# -H "Authorization: Bearer $TOKEN".
call() { # method, request
	grpcurl -plaintext -max-time 30 -emit-defaults -format-error -d "$2" "$address" "fluentcart.customer.v1.CustomerService/$1" 2>&1 || true
}

# failure says what an error means: its reason, what happened to the write, and the fields at fault.
failure='
	(.details | map(select(."@type" | endswith("ErrorInfo"))) | first) as $info
	| (.details | map(.fieldViolations // []) | add | map("; \(.field): \(.description)") | add // "") as $fields
	| ({"not_sent": "nothing was written", "rejected": "nothing was written"}[$info.metadata.write_state]
		// "unknown: read the customer before you send the update again") as $outcome
	| "\($info.reason), \($outcome)\($fields)"'

# The call that FluentCart documents, with its nine fields.
call UpdateCustomer '{"customer_id": 1, "customer": {
	"email": "customer@example.com", "full_name": "John Doe", "city": "Paris", "status": "active", "notes": "prefers email",
	"country": "FR", "state": "IDF", "postcode": "75001", "user_id": 0
}}' | jq -r '"documented call: \(.message)"'

call GetCustomer '{"customer_id": 1}' | jq -r '.customer | "read: \(.full_name), \(.city)"'

# Only the fields that are set change. "" clears a field.
call UpdateCustomer '{"customer_id": 1, "customer": {"city": "Lyon"}}' |
	jq -r '"partial update: changed \(.changed_fields | join(", ")); the notes stay: \(.data.notes)"'

# A dry run reads, checks and answers, and writes nothing.
call UpdateCustomer '{"customer_id": 1, "customer": {"postcode": "69001"}, "validate_only": true}' |
	jq -r '"dry run: would change \(.changed_fields | join(", "))"'

# With an etag the update is written only if nobody has changed the customer since it was read.
etag=$(call GetCustomer '{"customer_id": 1}' | jq -r .customer.etag)
call UpdateCustomer '{"customer_id": 1, "customer": {"notes": "prefers phone"}, "etag": "'"$etag"'"}' |
	jq -r '"with the etag: changed \(.changed_fields | join(", "))"'
call UpdateCustomer '{"customer_id": 1, "customer": {"notes": "prefers letters"}, "etag": "'"$etag"'"}' |
	jq -r "\"with the old etag: \" + ($failure)"

call UpdateCustomer "{\"customer_id\": 1, \"customer\": {\"city\": \"$(printf 'x%.0s' {1..46})\"}}" |
	jq -r "\"a city that is too long: \" + ($failure)"

# Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
call UpdateCustomer '{"customer_id": 3, "customer": {"city": "Lyon"}}' |
	jq -r "\"a linked user that is gone: \" + ($failure)"
