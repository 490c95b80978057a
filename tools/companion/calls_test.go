package companion

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// answer is what the companion says, or an error of WordPress.
type answer struct {
	Mark     int            `json:"fluentcart_gateway"`
	ID       string         `json:"request_id"`
	Result   string         `json:"result"`
	Cause    string         `json:"cause"`
	Why      string         `json:"why"`
	Version  string         `json:"version"`
	Changed  []string       `json:"changed"`
	Columns  []string       `json:"columns"`
	Reasons  []string       `json:"reasons"`
	Before   row            `json:"before"`
	Customer map[string]any `json:"customer"`
	Answer   struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"answer"`
	Code string `json:"code"` // of an error

	status int
	raw    string
}

// marked reports whether the answer counts.
func (a answer) marked() bool { return a.status == http.StatusOK && a.Mark == 1 && a.ID != "" }

// fields are members of a JSON object.
type fields map[string]any

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// call sends a request to the companion.
func (s *Store) call(ctx context.Context, method, path string, body any, header http.Header) answer {
	return s.rest(ctx, method, "/wp-json/fluentcart-gateway/v1/"+path, body, header)
}

// rest sends a request to WordPress with the administrator's account. An answer that is lost, or no JSON, has status 0.
func (s *Store) rest(ctx context.Context, method, path string, body any, header http.Header) answer {
	content, _ := json.Marshal(body)
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(content))
	if err != nil {
		return answer{raw: err.Error()}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if request.Header.Get("Authorization") == "" {
		request.SetBasicAuth(s.Username, s.Password)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return answer{raw: err.Error()}
	}
	defer func() { _ = response.Body.Close() }()
	content, err = io.ReadAll(response.Body)
	a := answer{}
	if err != nil || json.Unmarshal(content, &a) != nil {
		return answer{raw: fmt.Sprintf("HTTP %d %v: %.300s", response.StatusCode, err, content)}
	}
	a.status, a.raw = response.StatusCode, string(content)
	return a
}

// update sends an update with a random id.
func (s *Store) update(ctx context.Context, customer int, set fields) answer {
	return s.call(ctx, http.MethodPost, fmt.Sprintf("customers/%d", customer), fields{"request_id": newID(), "set": set}, nil)
}

// basic returns the value of an Authorization header.
func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}
