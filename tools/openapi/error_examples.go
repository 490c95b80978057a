package main

// errorExample is an example of an error for a status whose operation has none in the proto.
type errorExample struct {
	code                  int
	reason, state         string
	message               string
	field, retryAfterTime string
}

var errorExamples = map[string]errorExample{
	"400": {code: 3, reason: "INVALID_FIELD", state: "not_sent", field: "customer_id", message: "must be a whole number from 1 to 9223372036854775807, in digits only"},
	"401": {code: 16, reason: "CALLER_UNAUTHENTICATED", state: "not_sent", message: "no credentials; nothing was written"},
	"403": {code: 7, reason: "ORIGIN_REFUSED", state: "not_sent", message: "web pages of other origins may not call; nothing was written"},
	"405": {code: 12, reason: "METHOD_NOT_ALLOWED", state: "not_sent", message: "the methods here are PUT and PATCH and GET"},
	"409": {code: 6, reason: "EMAIL_TAKEN", state: "rejected", field: "email", message: "another customer of the store has this e-mail address"},
	"412": {code: 10, reason: "ETAG_MISMATCH", state: "not_sent", message: "the customer was changed since this etag was read"},
	"413": {code: 3, reason: "INVALID_FIELD", state: "not_sent", field: "body", message: "must be at most 393216 bytes"},
	"415": {code: 3, reason: "INVALID_FIELD", state: "not_sent", field: "Content-Encoding", message: "must be absent or identity"},
	"429": {code: 8, reason: "OVERLOADED", state: "not_sent", message: "too many calls are waiting for the store; nothing was written", retryAfterTime: "5s"},
	"500": {code: 13, reason: "GATEWAY_FAULT", state: "not_sent", message: "a fault in the gateway"},
	"502": {code: 13, reason: "STORE_BAD_ANSWER", state: "not_sent", message: "the store's response is not usable; nothing was written"},
	"503": {code: 14, reason: "STORE_UNAVAILABLE", state: "not_sent", message: "the store is not available; nothing was written", retryAfterTime: "5s"},
	"504": {code: 4, reason: "DEADLINE_PASSED", state: "not_sent", message: "the deadline passed before the write was sent; nothing was written"},
}

// asStatus returns the example as a google.rpc.Status in JSON.
func (e errorExample) asStatus() map[string]any {
	details := []any{map[string]any{
		"@type": typePrefix + "ErrorInfo", "reason": e.reason, "domain": "fluentcart-gateway", "metadata": map[string]any{"write_state": e.state},
	}}
	message := e.message
	if e.field != "" {
		message = e.field + ": " + e.message
		violation := map[string]any{"field": e.field, "description": e.message}
		details = append(details, map[string]any{"@type": typePrefix + "BadRequest", "fieldViolations": []any{violation}})
	}
	if e.retryAfterTime != "" {
		details = append(details, map[string]any{"@type": typePrefix + "RetryInfo", "retryDelay": e.retryAfterTime})
	}
	return map[string]any{"code": e.code, "message": message, "details": details}
}
