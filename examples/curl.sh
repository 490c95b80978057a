#!/usr/bin/env bash
# Reads and updates customers over JSON, with curl and jq:
#
#   GATEWAY_URL=http://127.0.0.1:8080 bash curl.sh
set -euo pipefail
url=${GATEWAY_URL:-http://127.0.0.1:8080}

# call prints the body of a response. Where callers authenticate, add -H "Authorization: Bearer $TOKEN", or
# -u "$USERNAME:$APPLICATION_PASSWORD" with --caller-auth=store.
call() { # method, path, further arguments of curl
	curl -sS --max-time 30 -X "$1" "$url$2" -H 'Content-Type: application/json' "${@:3}"
}

# failure says what an error response means: its reason, what happened to the write, and the fields at fault.
failure='
	(.details | map(select(."@type" | endswith("ErrorInfo"))) | first) as $info
	| (.details | map(.fieldViolations // []) | add | map("; \(.field): \(.description)") | add // "") as $fields
	| ({"not_sent": "nothing was written", "rejected": "nothing was written"}[$info.metadata.write_state]
		// "unknown: read the customer before you send the update again") as $outcome
	| "\($info.reason), \($outcome)\($fields)"'

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
call PATCH /v1/customers/1 -H "If-Match: \"$etag\"" -d '{"notes": "prefers letters"}' |
	jq -r "\"with the old etag: \" + ($failure)"

call PATCH /v1/customers/1 -d "{\"city\": \"$(printf 'x%.0s' {1..46})\"}" |
	jq -r "\"a city that is too long: \" + ($failure)"

# Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
call PATCH /v1/customers/3 -d '{"city": "Lyon"}' |
	jq -r "\"a linked user that is gone: \" + ($failure)"
