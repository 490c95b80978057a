package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// outcome is what a caller gets, in a form that both transports share.
type outcome struct {
	Code                    string
	HTTP                    int // 0 over gRPC
	Reason, WriteState      string
	Upstream                map[string]string
	Fields, Details         []string
	RetryAfter              string
	ChangedFields, Warnings []string
	message                 string
	customer                map[string]any
	header                  http.Header
}

func grpcOutcome(t *testing.T, response *customerv1.UpdateCustomerResponse, err error) outcome {
	t.Helper()
	if err != nil {
		return errorOutcome(t, status.Convert(err))
	}
	o := outcome{Code: "OK", message: response.GetMessage(), ChangedFields: response.GetChangedFields()}
	for _, warning := range response.GetWarnings() {
		o.Warnings = append(o.Warnings, warning.GetField()+" "+strings.TrimPrefix(warning.GetReason().String(), "REASON_"))
	}
	content, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(response.GetCustomer())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &o.customer); err != nil {
		t.Fatal(err)
	}
	// proto3 JSON writes 64-bit integers as texts; the HTTP/JSON gateway does not.
	for _, name := range []string{"id", "user_id", "contact_id", "purchase_count", "ltv"} {
		text, ok := o.customer[name].(string)
		if !ok { // unset
			o.customer[name] = nil
			continue
		}
		var number float64
		if err := json.Unmarshal([]byte(text), &number); err != nil {
			t.Fatal(err)
		}
		o.customer[name] = number
	}
	return o
}

func jsonOutcome(t *testing.T, response *http.Response, content []byte) outcome {
	t.Helper()
	if response.StatusCode == http.StatusNotModified {
		if len(content) > 0 || response.Header.Get("ETag") == "" {
			t.Errorf("304 with the ETag %q and the body %q", response.Header.Get("ETag"), content)
		}
		return outcome{Code: "OK", HTTP: response.StatusCode, header: response.Header}
	}
	if !json.Valid(content) {
		t.Fatalf("not JSON: %s", content)
	}
	var o outcome
	if response.StatusCode == http.StatusOK {
		var body struct {
			Message       string
			Data          map[string]any
			Customer      map[string]any // of a read
			ChangedFields []string       `json:"changed_fields"`
			Warnings      []struct{ Field, Reason string }
		}
		if err := json.Unmarshal(content, &body); err != nil {
			t.Fatal(err)
		}
		if body.Customer != nil {
			body.Data = body.Customer
		}
		o = outcome{Code: "OK", message: body.Message, customer: body.Data, ChangedFields: body.ChangedFields}
		for _, warning := range body.Warnings {
			o.Warnings = append(o.Warnings, warning.Field+" "+strings.TrimPrefix(warning.Reason, "REASON_"))
		}
		etag := fmt.Sprintf("%q", body.Data["etag"])
		if etag == `""` {
			etag = ""
		}
		if header := response.Header.Get("ETag"); header != etag {
			t.Errorf("ETag is %s, and the customer's etag %q", header, body.Data["etag"])
		}
	} else {
		var body spb.Status
		if err := protojson.Unmarshal(content, &body); err != nil {
			t.Fatalf("not a google.rpc.Status: %v\n%s", err, content)
		}
		o = errorOutcome(t, status.FromProto(&body))
		if got := response.Header.Get("Retry-After"); got != o.RetryAfter {
			t.Errorf("Retry-After is %q, and RetryInfo %q", got, o.RetryAfter)
		}
	}
	o.HTTP, o.header = response.StatusCode, response.Header
	return o
}

func errorOutcome(t *testing.T, s *status.Status) outcome {
	t.Helper()
	o := outcome{Code: codeName(s), message: s.Message()}
	for _, detail := range s.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() != "fluentcart-gateway" {
				t.Errorf("domain is %q", detail.GetDomain())
			}
			o.Reason = detail.GetReason()
			for key, value := range detail.GetMetadata() {
				if key == "write_state" {
					o.WriteState = value
					continue
				}
				if o.Upstream == nil {
					o.Upstream = map[string]string{}
				}
				o.Upstream[strings.TrimPrefix(key, "upstream_")] = value
			}
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				o.Fields = append(o.Fields, violation.GetField())
			}
		case *errdetails.RetryInfo:
			o.RetryAfter = fmt.Sprint(detail.GetRetryDelay().AsDuration().Seconds())
		case *errdetails.PreconditionFailure:
			o.Details = append(o.Details, "PreconditionFailure "+detail.GetViolations()[0].GetType())
		case *errdetails.ResourceInfo:
			o.Details = append(o.Details, "ResourceInfo "+detail.GetResourceName())
		default:
			t.Errorf("unexpected detail %T", detail)
		}
	}
	return o
}

// codeName is the code as the contract writes it: INVALID_ARGUMENT.
func codeName(s *status.Status) string {
	var name strings.Builder
	for i, r := range s.Code().String() {
		if i > 0 && r >= 'A' && r <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(r)
	}
	return strings.ToUpper(name.String())
}
