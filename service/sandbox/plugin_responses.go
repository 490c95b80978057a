package sandbox

import "net/http"

// The responses of plug-ins that end a request, before or after the row was written (F25). None of them says which:
//
//	Failure{Instead: PluginError(400)}              // the row is written
//	Failure{Work: Never, Instead: PluginError(400)} // it is not

// PluginError is the response of WordPress's wp_send_json_error, by which plug-ins end a request.
func PluginError(status int) Response {
	return Response{Status: status, ContentType: jsonType, Body: `{"success":false,"data":"x"}`}
}

// TooManyRequests is the response of plug-ins that limit the rate of requests to the REST API.
func TooManyRequests() Response {
	return Response{
		Status: http.StatusTooManyRequests, ContentType: jsonType,
		Body: `{"code":"rest_too_many_requests","message":"Too many requests.","data":{"status":429}}`,
	}
}

// Redirect is the response of WordPress's wp_redirect: status 301, 302, 307 or 308, and no body (F21).
func Redirect(status int, location string) Response {
	return Response{
		Status: status, ContentType: "text/html; charset=UTF-8",
		Header: http.Header{"Location": {location}, "X-Redirect-By": {"WordPress"}},
	}
}

// ThemePage is a page of the shop's theme, such as "not found", under any status.
func ThemePage(status int) Response {
	return blockPage(status, http.StatusText(status), nil)
}

// EmptyBody is a status without a body, as after PHP's status_header and die.
func EmptyBody(status int) Response {
	return Response{Status: status, ContentType: "text/html; charset=UTF-8"}
}
