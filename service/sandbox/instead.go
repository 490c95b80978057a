package sandbox

import "net/http"

// Answer is an answer that is not the store's true one.
type Answer struct {
	Status      int
	ContentType string // none is sent if empty; net/http then guesses one
	RetryAfter  string // the header Retry-After: seconds or a date, none if empty
	Body        string
}

const htmlType = "text/html"

// BadGateway is nginx where PHP-FPM is down (F19).
func BadGateway() Answer {
	return Answer{Status: http.StatusBadGateway, ContentType: htmlType, Body: nginxPage("502 Bad Gateway")}
}

// GatewayTimeout is nginx where PHP takes too long; what PHP does is done all the same (F19, F22).
func GatewayTimeout() Answer {
	return Answer{Status: http.StatusGatewayTimeout, ContentType: htmlType, Body: nginxPage("504 Gateway Time-out")}
}

// FatalError is WordPress where PHP died on the way, before or after the write (F19).
func FatalError() Answer {
	return Answer{
		Status:      http.StatusInternalServerError,
		ContentType: jsonType,
		Body: `{"code":"internal_server_error","message":"<p>There has been a critical error on this website.</p>",` +
			`"data":{"status":500},"additional_errors":[]}`,
	}
}

// Maintenance is WordPress while it updates itself (F19).
func Maintenance() Answer {
	return Answer{
		Status:      http.StatusServiceUnavailable,
		ContentType: jsonType,
		RetryAfter:  "600",
		Body: `{"code":"wp_die","message":"Briefly unavailable for scheduled maintenance. Check back in a minute.",` +
			`"data":{"status":503},"additional_errors":[]}`,
	}
}

func nginxPage(title string) string {
	return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
}

func (a Answer) response() *response {
	p := newResponse()
	if a.ContentType != "" {
		p.header.Set("Content-Type", a.ContentType)
	}
	if a.RetryAfter != "" {
		p.header.Set("Retry-After", a.RetryAfter)
	}
	p.status = a.Status
	p.body.WriteString(a.Body)
	return p
}
