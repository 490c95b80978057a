package sandbox

import (
	"encoding/json"
	"net/http"
)

// The refusals of the store itself, for requests that it would not refuse:
//
//	Failure{Refusal: UserUpdateFailed()}
//	Failure{Work: Never, Instead: CustomerMissing()}

// Rejected is the documented 400: a 500 with the number in its body (F1).
func Rejected() Response { return updateNotFound.response() }

// UserUpdateFailed is the documented 423: a 500 with the number in its body (F1, F8).
func UserUpdateFailed() Response { return accountUpdateFailed.response() }

// ValidationFailed is the 422 for a city that is no clean text (F5).
func ValidationFailed() Response {
	return violations{{"city", "sanitizeText", "The city must be a valid text"}}.response()
}

// EmailTaken is the 422 for the e-mail address of another customer (F3, F5).
func EmailTaken() Response {
	return violations{{"email", "exist", "Email already exists."}}.response()
}

// CustomerMissing is the 404 of a read for a customer that does not exist (F6).
func CustomerMissing() Response { return readNotFound.response() }

// RouteMissing is the 404 of a WordPress without FluentCart (F18).
func RouteMissing() Response { return noRoute.response() }

// Unauthorized is the 401 for a wrong password (F18).
func Unauthorized() Response { return unauthorized.response() }

// Forbidden is the 403 for a user who may not manage customers (F18).
func Forbidden() Response { return forbidden.response() }

func (r fixedResponse) response() Response {
	header := http.Header{}
	if r.allow != "" {
		header.Set("Allow", r.allow)
	}
	return Response{Status: r.status, ContentType: jsonType, Header: header, Body: r.body}
}

func (vs violations) response() Response {
	body, _ := json.Marshal(vs) // its parts are texts
	return Response{
		Status: http.StatusUnprocessableEntity, ContentType: jsonType,
		Header: http.Header{"Allow": {allowUpdate}}, Body: string(body),
	}
}
