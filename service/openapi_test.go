package service_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // the types of the details
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// openAPI is the part of the generated OpenAPI description that these tests check.
type openAPI struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Examples map[string]json.RawMessage
		}
	}
	Definitions map[string]struct {
		Properties map[string]struct {
			MinLength, MaxLength uint64
			Nullable             bool `json:"x-nullable"`
		}
	}
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "gen", "openapi", "fluentcart-gateway.swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var description openAPI
	if err := json.Unmarshal(content, &description); err != nil {
		t.Fatal(err)
	}
	return description
}

// The contract has each limit twice, as a validation rule and as an OpenAPI option; both must be the same. A field is
// nullable if null clears it, or if it may be missing, as times and amounts may.
func TestOpenAPIHasTheLimitsOfTheContract(t *testing.T) {
	properties := readOpenAPI(t).Definitions["v1Customer"].Properties
	fields := (&customerv1.Customer{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		property := properties[field.JSONName()]
		rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
		text := rules.GetString()
		if most := max(text.GetMaxLen(), text.GetMaxBytes()); property.MaxLength != most || property.MinLength != text.GetMinLen() {
			t.Errorf("%s: OpenAPI allows %d to %d characters, the rules %d to %d", field.Name(), property.MinLength, property.MaxLength, text.GetMinLen(), most)
		}
		clearable := field.HasOptionalKeyword() && text.GetMinLen() == 0 && !text.GetEmail()
		if isTime := field.Message() != nil && !field.IsMap(); property.Nullable != (clearable || isTime) {
			t.Errorf("%s: x-nullable is %v, want %v", field.Name(), property.Nullable, clearable || isTime)
		}
	}
}

// Each example of an error is an error of this service, and stands under its own HTTP status.
func TestOpenAPIErrorExamplesAreErrorsOfTheServiceUnderTheirStatus(t *testing.T) {
	examples := 0
	for path, methods := range readOpenAPI(t).Paths {
		for method, call := range methods {
			for code, response := range call.Responses {
				example := response.Examples["application/json"]
				if example == nil || code == "200" {
					continue
				}
				var s spb.Status
				if err := protojson.Unmarshal(example, &s); err != nil {
					t.Errorf("%s %s: %s: %v", method, path, code, err)
					continue
				}
				if got, known := apierror.HTTPStatus(status.FromProto(&s)); !known || code != strconv.Itoa(got) {
					t.Errorf("%s %s: the example under status %s has status %d", method, path, code, got)
				}
				examples++
			}
		}
	}
	if examples == 0 {
		t.Error("the description has no examples of errors")
	}
}
