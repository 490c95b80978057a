package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
)

func replacing() service.Config { return service.Config{WriteMode: service.Replace} }

// repeating returns a body that repeats, in every place, what the caller sent, what is stored, and data of another customer.
func repeating(code any, text string) json.RawMessage {
	content, err := json.Marshal(map[string]any{
		"code": code, "message": text, "data": map[string]any{"status": "zq8x", "params": map[string]string{"zq8x": text}},
		"errors": map[string]any{"email": []string{text, "No Zq9scity"}, "Zq8xlast": map[string]string{"Zq8xcity": "zq8x"}, "city": map[string]string{"Zq8xcity": "No Zq8xcity", "inList": "No Zq9scity"}},
	})
	if err != nil {
		panic(err)
	}
	return content
}

// Whatever the store sends, and however it fails, nothing of it is passed on.
func TestResponsesOfTheStoreAreNeitherReturnedNorLogged(t *testing.T) {
	const (
		names   = "Zq8xcity was Zq9scity"
		address = "another customer, zq8xother@zq9sother.example"
	)
	header := map[string]string{"Location": "https://zq9s:zq8x@shop.example/moved?zq9smail=zq8x#zq9s", "Retry-After": "zq8x", "WWW-Authenticate": `Basic realm="zq9s"`, "X-Zq8x": "zq9s", "Content-Type": "text/zq8x"}
	answers := map[string]*rawAnswer{
		"a body that is cut": {Cut: true}, "an answer that is cut after the write": {CutAfter: true},
		"a warning in front":     {Printed: `<b>Warning</b> {"zq8x":"zq9s"} zq8xmail@zq8xhost.example`},
		"wrong types everywhere": {JSON: wrongTypes(`["zq9s"]`)}, "objects everywhere": {JSON: wrongTypes(`{"zq9s":"zq8x"}`)}, "texts everywhere": {JSON: wrongTypes(`"zq9s"`)},
		"another customer": {Body: `{"customer":{"id":2,"email":"zq9s@zq9s.example"},"data":{"id":2,"email":"zq9s@zq9s.example"}}`},
	}
	for _, httpStatus := range []int{200, 201, 301, 400, 401, 403, 404, 405, 408, 409, 413, 418, 422, 423, 429, 499, 500, 502, 503, 504, 599} {
		answers[fmt.Sprintf("%d, a code that is a name", httpStatus)] = &rawAnswer{Status: httpStatus, Header: header, JSON: repeating("zq8xlast", address)}
		answers[fmt.Sprintf("%d, a code that is a text", httpStatus)] = &rawAnswer{Status: httpStatus, Header: header, JSON: repeating("Zq9slast_zq9smail@zq9shost.example", names)}
		answers[fmt.Sprintf("%d, a page", httpStatus)] = &rawAnswer{Status: httpStatus, Header: header, Body: `<html>zq8xmail@zq8xhost.example &#122;q9smail</html>`}
	}
	for _, code := range []int{400, 422, 423, 429, 503} {
		answers[fmt.Sprintf("500 with %d in it", code)] = &rawAnswer{Status: 500, Header: header, JSON: repeating(code, names)}
	}
	recordings, err := os.ReadDir(filepath.Join("..", "fluentcart", "testdata", "failures"))
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, recording := range recordings {
		answers[recording.Name()] = &rawAnswer{File: recording.Name()}
	}
	for name, answer := range answers {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				startWatched(t, options{wrap: answering(map[string]*rawAnswer{method: answer})}).sendAndCheck(t, requestsToTheStore())
			})
		}
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		hanging := answering(map[string]*rawAnswer{http.MethodPut: {Hang: true}})
		startWatched(t, options{putTimeout: 30 * time.Millisecond, wrap: hanging}).sendAndCheck(t, requestsToTheStore())
	})
}

// wrongTypes is a customer with the same value in each column.
func wrongTypes(value string) json.RawMessage {
	columns := map[string]json.RawMessage{}
	for _, name := range []string{
		"email", "first_name", "last_name", "full_name", "city", "state", "country", "postcode", "status", "notes", "user_id", "aov", "contact_id", "uuid", "ltv",
		"purchase_count", "purchase_value", "first_purchase_date", "last_purchase_date", "created_at", "updated_at", "photo", "country_name", "user_link",
	} {
		columns[name] = json.RawMessage(value)
	}
	columns["id"] = json.RawMessage("1")
	content, err := json.Marshal(map[string]any{"customer": columns, "data": columns, "message": "zq9s"})
	if err != nil {
		panic(err)
	}
	return content
}

// net/http quotes invalid HTTP in its errors.
func TestInvalidHTTPOfTheStoreIsNeitherReturnedNorLogged(t *testing.T) {
	for name, answer := range map[string]string{
		"a status line":          "zq8xmail@zq8xhost.example zq9s\r\n\r\n",
		"a status":               "HTTP/1.1 zq8x zq9s\r\n\r\n",
		"a version":              "HTTP/zq8x 200 OK\r\n\r\n",
		"a status text":          "HTTP/1.1 400 zq8xmail@zq8xhost.example zq9s\r\nContent-Length: 0\r\n\r\n",
		"a header":               "HTTP/1.1 200 OK\r\nzq8x mail zq9s\r\n\r\n",
		"a length":               "HTTP/1.1 200 OK\r\nContent-Length: zq8x\r\n\r\n",
		"two lengths":            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\nX-Zq8x: zq9s\r\n\r\nzq8x",
		"a coding":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: zq8x\r\n\r\nzq9s",
		"a chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzq8x\r\nzq9s",
		"a body that ends early": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"customer\":{\"email\":\"zq9s",
		"an address that is not": "HTTP/1.1 302 Found\r\nLocation: ://zq8x zq9s%zz\r\nContent-Length: 0\r\n\r\n",
		"control characters":     "HTTP/1.1 500 zq8x\x1b[31m\r\nContent-Length: 31\r\n\r\n{\"code\":\"zq8x\\n\\u2028\\u001b[31m\"}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			startWatched(t, options{storeURL: "http://" + respondingWith(t, answer)}).sendAndCheck(t, requestsToTheStore())
		})
	}
}

// respondingWith listens, and sends the same to each client.
func respondingWith(t *testing.T, answer string) (address string) {
	t.Helper()
	listener := listen(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(conn, answer)
			closeAfterReading(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String()
}

// closeAfterReading lets the other side read to the end.
func closeAfterReading(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
}
