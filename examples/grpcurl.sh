#!/usr/bin/env bash
# Reads and updates customers over gRPC, with grpcurl and jq. The server has reflection, so grpcurl needs no proto files:
#
#   GATEWAY_ADDR=127.0.0.1:9090 GATEWAY_TOKEN= bash grpcurl.sh
set -euo pipefail
address=${GATEWAY_ADDR:-127.0.0.1:9090}

# call prints the response; or, on standard error, what the failure means. With TLS leave out -plaintext. grpcurl itself puts the
# token into the header (-expand-headers), because arguments are no secret.
call() { # method, request
	local answer
	if answer=$(grpcurl -plaintext -max-time 30 -emit-defaults -format-error \
		-expand-headers ${GATEWAY_TOKEN:+-H 'authorization: Bearer ${GATEWAY_TOKEN}'} \
		-d "$2" "$address" "fluentcart.customer.v1.CustomerService/$1" 2>&1); then
		echo "$answer"
	else
		failure <<<"$answer" >&2
		return 1
	fi
}

# failure says what an error means: its reason, what happened to the write, and the fields at fault. An error without ErrorInfo (the
# connection broke, the time is over) says nothing about the write.
failure() {
	jq --raw-input --slurp --raw-output '
		[(fromjson? | objects | .details[]?)] as $details
		| ($details | map(select(."@type" | endswith("/google.rpc.ErrorInfo"))) | first) as $info
		| {not_sent: "nothing was written", rejected: "nothing was written"}[$info.metadata.write_state // ""]
			// "unknown: read the customer before you send the update again"
		| [$info.reason // "no answer of the gateway", .] + [$details[].fieldViolations[]? | "\(.field): \(.description)"]
		| "\(.[0]), \(.[1:] | join("; "))"'
}

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

echo "with the old etag: $(call UpdateCustomer '{"customer_id": 1, "customer": {"notes": "prefers letters"}, "etag": "'"$etag"'"}' 2>&1)"

echo "a city that is too long: $(call UpdateCustomer "{\"customer_id\": 1, \"customer\": {\"city\": \"$(printf 'x%.0s' {1..46})\"}}" 2>&1)"

# Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
echo "a linked user that is gone: $(call UpdateCustomer '{"customer_id": 3, "customer": {"city": "Lyon"}}' 2>&1)"
