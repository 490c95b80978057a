package server_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// caseFile is a file of testdata/cases: API behaviour as data. README.md there explains the fields.
type caseFile struct {
	About string
	Cases []apiCase
}

type apiCase struct {
	Name string
	// Transports are those that the case is for; none means both.
	Transports []string
	Store      storeSetting
	Gateway    gatewaySetting
	Request    requestSetting
	Want       want
	Atomic     *atomicCase
}

// atomicCase is what differs in write mode atomic.
type atomicCase struct {
	// Not is why the case is not for that mode.
	Not string
	// Sent are the methods that reach the store.
	Sent string
	// Want is the outcome, whole.
	Want *want
}

type storeSetting struct {
	SplitNames bool `json:"split_names"`
	// Answers replace the responses of the sandbox store, by method.
	Answers map[string]*rawAnswer
	// Down closes the store's port. Untrusted serves TLS with a certificate that no client trusts.
	Down, Untrusted bool
}

type gatewaySetting struct {
	WriteMode      string `json:"write_mode"`
	May            string
	GetTimeout     timeout `json:"get_timeout"`
	PutTimeout     timeout `json:"put_timeout"`
	DefaultTimeout timeout `json:"default_timeout"`
	SettleTime     timeout `json:"settle_time"`
}

type requestSetting struct {
	CustomerID   int64 `json:"customer_id"`
	Customer     json.RawMessage
	UpdateMask   *string `json:"update_mask"`
	Etag         string  // "current" is the customer's
	ValidateOnly bool    `json:"validate_only"`
	// Read is a GetCustomer in place of an UpdateCustomer.
	Read bool
	// HTTP is the request line over HTTP; empty is PUT, or GET for a read, and /v1/customers/{customer_id}.
	HTTP string
	// Body is sent over JSON in place of the customer, as it stands.
	Body *string
	// BodyBase64 is Body for what is not UTF-8.
	BodyBase64 []byte `json:"body_base64"`
	// GRPCHex is sent over gRPC in place of the request, as it stands; spaces are for the reader.
	GRPCHex string `json:"grpc_hex"`
	// Header is what is sent over JSON besides; {etag} in a value is the customer's etag.
	Header map[string]string
}

// want is what is expected of both transports. A field that is left out is expected to be absent.
type want struct {
	Code           string
	HTTP           int
	Reason         string
	WriteState     string            `json:"write_state"`
	Upstream       map[string]string // upstream_status and upstream_code without the prefix
	Fields         []string          // of BadRequest, in order
	Details        []string          // types of the other details
	RetryAfter     string            `json:"retry_after"` // seconds, of RetryInfo and of the header
	MessageHas     []string          `json:"message_has"`
	MessageLacks   []string          `json:"message_lacks"`
	Customer       map[string]any    // a part of the returned customer, as JSON
	ChangedFields  []string          `json:"changed_fields"`
	Warnings       []string          // "field REASON"
	Sent           string            // the methods that reached the store
	Put            map[string]any    // the whole body of the PUT; not looked at where it is left out
	Rows           map[string]map[string]any
	ResponseHeader map[string]string `json:"response_header"`
}

// timeout is a time.Duration as text.
type timeout time.Duration

func (d *timeout) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	*d = timeout(value)
	return err
}

// loadCases reads all case files. An unknown field is an error, so that no expectation is lost by a misspelt name.
func loadCases(t *testing.T) map[string]caseFile {
	t.Helper()
	paths, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no case files: %v", err)
	}
	files := map[string]caseFile{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(bytes.NewReader(repeat(content)))
		decoder.DisallowUnknownFields()
		var file caseFile
		if err := decoder.Decode(&file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		files[filepath.Base(path)] = file
	}
	return files
}

var repeated = regexp.MustCompile(`\{\{([^{}]+)\*(\d+)\}\}`)

// repeat expands long texts: {{a*192}} is a 192 times.
func repeat(content []byte) []byte {
	return repeated.ReplaceAllFunc(content, func(found []byte) []byte {
		parts := repeated.FindSubmatch(found)
		times, _ := strconv.Atoi(string(parts[2])) // digits only
		return bytes.Repeat(parts[1], times)
	})
}
