package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A proxy in front may see one request where the gateway sees two, and let the second pass unchecked. Bytes behind a body
// whose length the two may measure differently are not read as a request.
func TestSecondRequestIsNotSmuggled(t *testing.T) {
	const second = "PATCH /v1/customers/2 HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: 14\r\n\r\n" + `{"notes":"in"}`
	const chunked = "f\r\n" + lyon + "\r\n0\r\n\r\n"
	for _, request := range []struct {
		name, head, body string
		updates          bool
	}{
		{"behind the last chunk, where the length announces more", "HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\nTransfer-Encoding: chunked", chunked, true},
		{"behind the last chunk", "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", chunked, true},
		{"behind chunks with extensions", "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", "f;a=b\r\n" + lyon + "\r\n0;c\r\n\r\n", true},
		{"behind trailers", "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late", "f\r\n" + lyon + "\r\n0\r\nX-Late: 1\r\n\r\n", true},
		{"behind a chunk whose line ends too early", "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", "f\n" + lyon + "\r\n0\r\n\r\n", false},
		{"behind a chunk that is longer than it says", "HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", "e\r\n" + lyon + "\r\n0\r\n\r\n", false},
		{"behind a body of HTTP/1.0 in chunks", "HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 25\r\nTransfer-Encoding: chunked", chunked, false},
		{"behind a body of HTTP/1.0", "HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 15", lyon, true},
		{"behind two lengths", "HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\nContent-Length: 400", lyon, false},
		{"behind a length that is too short", "HTTP/1.1\r\nHost: x\r\nContent-Length: 14", lyon, false},
	} {
		t.Run(request.name, func(t *testing.T) {
			g := start(t, options{})
			wanted := g.store.Rows()
			if request.updates {
				wanted = updated(wanted)
			}
			response, body := rawJSON(t, rawConn(t, strings.TrimPrefix(g.url, "http://"), nil), "PATCH /v1/customers/1 "+request.head+"\r\n\r\n"+request.body+second)
			if request.updates != (response.StatusCode == http.StatusOK) {
				t.Errorf("%s: %s", response.Status, body)
			}
			got := g.store.Rows()
			for i := range got {
				got[i].UpdatedAt = wanted[i].UpdatedAt
			}
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// updated returns rows after the update of the first request.
func updated(rows []sandbox.Row) []sandbox.Row {
	city := "Lyon"
	rows[0].City = &city
	return rows
}
