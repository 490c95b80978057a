#!/usr/bin/env bash
# Reads and updates customers over JSON, with curl and jq:
#
#   GATEWAY_URL=http://127.0.0.1:8080 GATEWAY_TOKEN= bash curl.sh
set -euo pipefail
url=${GATEWAY_URL:-http://127.0.0.1:8080}

# call prints the body of a response; or, on standard error, what the failure means. The gateway gets less time than curl, so that
# its answer, which says whether something was written, still arrives. The token comes on standard input, because arguments are no
# secret. With --caller-auth=store it is user = "name:application password".
call() { # method, path, further arguments of curl
	local body
	if body=$(curl -s --fail-with-body --max-time 25 -H 'Grpc-Timeout: 20S' -X "$1" "$url$2" -H 'Content-Type: application/json' "${@:3}" \
		--config - <<<"${GATEWAY_TOKEN:+header = \"Authorization: Bearer $GATEWAY_TOKEN\"}") && jq -e 'type == "object"' <<<"$body" &>/dev/null; then
		echo "$body"
	else
		failure <<<"$body" >&2
		return 1
	fi
}

# failure says what the body of an error means: its reason, what happened to the write, and the fields at fault. A body that the
# gateway did not write, such as a proxy's page, says nothing about the write.
failure() {
	jq --raw-input --slurp --raw-output '
		[(fromjson? | objects | .details[]?)] as $details
		| ($details | map(select(."@type" | endswith("/google.rpc.ErrorInfo"))) | first) as $info
		| {not_sent: "nothing was written", rejected: "nothing was written"}[$info.metadata.write_state // ""]
			// "unknown: read the customer before you send the update again"
		| [$info.reason // "no answer of the gateway", .] + [$details[].fieldViolations[]? | "\(.field): \(.description)"]
		| "\(.[0]), \(.[1:] | join("; "))"'
}

# The call that FluentCart documents, with its nine fields. Only the host is another one.
call PUT /wp-json/fluent-cart/v2/customers/1 -d '{
	"email": "customer@example.com", "full_name": "John Doe", "city": "Paris", "status": "active", "notes": "prefers email",
	"country": "FR", "state": "IDF", "postcode": "75001", "user_id": 0
}' | jq -r '"documented call: \(.message)"'

customer=$(call GET /v1/customers/1)
jq -r '.customer | "read: \(.full_name), \(.city)"' <<<"$customer"

# Only the fields in the body change. "" or null clears a field.
call PATCH /v1/customers/1 -d '{"city": "Lyon"}' |
	jq -r '"partial update: changed \(.changed_fields | join(", ")); the notes stay: \(.data.notes)"'

# A dry run reads, checks and answers, and writes nothing.
call PATCH '/v1/customers/1?validate_only=true' -d '{"postcode": "69001"}' |
	jq -r '"dry run: would change \(.changed_fields | join(", "))"'

# With an etag the update is written only if nobody has changed the customer since it was read.
etag=$(call GET /v1/customers/1 | jq -r .customer.etag)
call PATCH /v1/customers/1 -H "If-Match: \"$etag\"" -d '{"notes": "prefers phone"}' |
	jq -r '"with the etag: changed \(.changed_fields | join(", "))"'

echo "with the old etag: $(call PATCH /v1/customers/1 -H "If-Match: \"$etag\"" -d '{"notes": "prefers letters"}' 2>&1)"

echo "a city that is too long: $(call PATCH /v1/customers/1 -d "{\"city\": \"$(printf 'x%.0s' {1..46})\"}" 2>&1)"

# Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
echo "a linked user that is gone: $(call PATCH /v1/customers/3 -d '{"city": "Lyon"}' 2>&1)"
