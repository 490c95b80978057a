package main

import (
	"errors"
	"os/exec"
	"testing"
)

func TestGrpcurlsResultIsRead(t *testing.T) {
	printed := "ERROR:\n  Code: NotFound\n  Message: the store has no customer 99\n  Details:\n  1)\t{\n    \t  \"domain\": \"fluentcart-gateway\",\n" +
		"    \t  \"metadata\": {\n    \t    \"write_state\": \"not_sent\"\n    \t  },\n    \t  \"reason\": \"CUSTOMER_NOT_FOUND\"\n    \t}\n"
	for _, row := range []struct {
		name, script, stdout, stderr string
		want                         outcome
		message                      string
	}{
		{"success", "exit 0", `{"data":{"notes":"n"}}`, "", outcome{Code: "OK"}, ""},
		{"success without the update", "exit 0", `{"data":{"notes":"other"}}`, "", outcome{Code: "OK", Reason: otherNotes}, ""},
		{"a status with a reason", "exit 69", "", printed, outcome{"NOT_FOUND", "CUSTOMER_NOT_FOUND", "not_sent"}, "the store has no customer 99"},
		{"a status without a reason", "exit 78", "", "ERROR:\n  Code: Unavailable\n  Message: x\n", outcome{Code: "UNAVAILABLE"}, "x"},
		{"a status without output", "exit 78", "", "", outcome{Code: "UNAVAILABLE"}, ""},
		{"a grpcurl that could not connect", "exit 1", "", "Failed to dial\n", outcome{Code: noResponse}, "Failed to dial"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := exec.CommandContext(t.Context(), "sh", "-c", row.script).Run()
			got, message := grpcurlOutcome(err, []byte(row.stdout), row.stderr, "n")
			if got != row.want || message != row.message {
				t.Errorf("got %v, %q", got, message)
			}
		})
	}
	if got, message := grpcurlOutcome(errors.New("no such file"), nil, "", "n"); got.Code != noResponse || message != "no such file" {
		t.Errorf("got %v, %q", got, message)
	}
}

func TestResponsesOfTheJSONGatewayAreRead(t *testing.T) {
	for _, row := range []struct {
		name    string
		status  int
		body    string
		want    outcome
		message string
	}{
		{"success", 200, `{"message":"Customer updated successfully!","data":{"notes":"n"}}`, outcome{Code: "OK"}, ""},
		{"success without the update", 200, `{"data":{"notes":"other"}}`, outcome{Code: "OK", Reason: otherNotes}, ""},
		{"success without a customer", 200, `{}`, outcome{Code: noResponse}, "HTTP 200, and the body is not one of the gateway"},
		{
			"an error", 404,
			`{"code":5,"message":"no customer","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CUSTOMER_NOT_FOUND","domain":"fluentcart-gateway","metadata":{"write_state":"not_sent"}},{"@type":"type.googleapis.com/google.rpc.ResourceInfo"}]}`,
			outcome{"NOT_FOUND", "CUSTOMER_NOT_FOUND", "not_sent"},
			"no customer",
		},
		{"a page of a proxy", 502, "<html>", outcome{Code: noResponse}, "HTTP 502, and the body is not one of the gateway"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, message := httpOutcome(row.status, []byte(row.body), "n"); got != row.want || message != row.message {
				t.Errorf("got %v, %q", got, message)
			}
		})
	}
}

func TestOnlyOKAndWhatIsAllowedAreNoFailures(t *testing.T) {
	overloaded := outcome{"RESOURCE_EXHAUSTED", "OVERLOADED", "not_sent"}
	for _, row := range []struct {
		name    string
		outcome outcome
		allowed []string
		want    bool
	}{
		{"OK", outcome{Code: "OK"}, nil, false},
		{"OK that shows other notes", outcome{Code: "OK", Reason: otherNotes}, []string{"OVERLOADED"}, true},
		{"a rejection", overloaded, nil, true},
		{"a rejection whose reason is allowed", overloaded, []string{"DEADLINE_PASSED", "OVERLOADED"}, false},
		{"a rejection whose code is allowed", overloaded, []string{"RESOURCE_EXHAUSTED"}, false},
		{"a fault beside an allowed reason", outcome{"INTERNAL", "GATEWAY_FAULT", "unknown"}, []string{"OVERLOADED"}, true},
		{"a call that was cut off", outcome{Code: cutOff}, nil, false},
		{"a code without a reason", outcome{Code: "UNKNOWN"}, []string{""}, true},
	} {
		if got := row.outcome.isFailure(row.allowed); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
