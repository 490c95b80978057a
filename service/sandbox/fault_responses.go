package sandbox

import "net/http"

// Response is a response that fault injection sends in place of the store's own.
type Response struct {
	Status      int
	ContentType string // if it is empty, Header or net/http, which detects the type from the body, says it
	Header      http.Header
	Body        string
}

const htmlType = "text/html"

// BadGateway is nginx's response when PHP-FPM is down (F19).
func BadGateway() Response {
	return Response{Status: http.StatusBadGateway, ContentType: htmlType, Body: nginxPage("502 Bad Gateway")}
}

// GatewayTimeout is nginx's response when PHP takes too long. PHP completes the request all the same (F19, F22).
func GatewayTimeout() Response {
	return Response{Status: http.StatusGatewayTimeout, ContentType: htmlType, Body: nginxPage("504 Gateway Time-out")}
}

// FatalError is WordPress's response when PHP dies, before or after the write (F19).
func FatalError() Response {
	return Response{
		Status:      http.StatusInternalServerError,
		ContentType: jsonType,
		Body: `{"code":"internal_server_error","message":"<p>There has been a critical error on this website.</p>",` +
			`"data":{"status":500},"additional_errors":[]}`,
	}
}

// Maintenance is WordPress's response while it updates itself (F19).
func Maintenance() Response {
	return Response{
		Status:      http.StatusServiceUnavailable,
		ContentType: jsonType,
		Header:      http.Header{"Retry-After": {"600"}},
		Body: `{"code":"wp_die","message":"Briefly unavailable for scheduled maintenance. Check back in a minute.",` +
			`"data":{"status":503},"additional_errors":[]}`,
	}
}

func nginxPage(title string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

func (r Response) buffered() *bufferedResponse {
	p := newBufferedResponse()
	addHeader(p.header, r.Header)
	if r.ContentType != "" {
		p.header.Set("Content-Type", r.ContentType)
	}
	p.status = r.Status
	p.body.WriteString(r.Body)
	return p
}

// addHeader sets the fields of header in to, whatever the case of their names.
func addHeader(to, header http.Header) {
	for name, values := range header {
		to[http.CanonicalHeaderKey(name)] = values
	}
}
