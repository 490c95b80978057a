package main

import (
	"strconv"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/bufbuild/protocompile"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/descriptorpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

const source = "../../proto"

var original = []protoreflect.FileDescriptor{
	customerv1.File_fluentcart_customer_v1_customer_proto,
	customerv1.File_fluentcart_customer_v1_customer_service_proto,
}

// folder returns the content of each file of the folder.
func folder(t testing.TB) map[string]string {
	t.Helper()
	files, err := contents(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]string{}
	for _, file := range files {
		byPath[file.path] = string(file.content)
	}
	return byPath
}

// compileFolder compiles a file of the folder from nothing but the folder.
func compileFolder(t testing.TB, files map[string]string, path string) protoreflect.FileDescriptor {
	t.Helper()
	compiler := protocompile.Compiler{
		Resolver:       &protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(files)},
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return compiled[0]
}

// withoutOptions is a file's definition without all that changes neither the encoding nor the JSON of a message.
func withoutOptions(file protoreflect.FileDescriptor) *descriptorpb.FileDescriptorProto {
	definition := protodesc.ToFileDescriptorProto(file)
	definition.Dependency, definition.SourceCodeInfo = nil, nil
	var clearOptions func(protoreflect.Message)
	clearOptions = func(message protoreflect.Message) {
		message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			switch {
			case field.Name() == "options":
				message.Clear(field)
			case field.Message() == nil:
			case field.IsList():
				for i := range value.List().Len() {
					clearOptions(value.List().Get(i).Message())
				}
			default:
				clearOptions(value.Message())
			}
			return true
		})
	}
	clearOptions(definition.ProtoReflect())
	return definition
}

func TestPortableFormHasTheEncodingAndTheJSONOfTheDefinition(t *testing.T) {
	files := folder(t)
	for _, want := range original {
		got := compileFolder(t, files, want.Path())
		if diff := cmp.Diff(withoutOptions(want), withoutOptions(got), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		if got.Options().(*descriptorpb.FileOptions).GetGoPackage() != want.Options().(*descriptorpb.FileOptions).GetGoPackage() {
			t.Error("the Go package differs")
		}
	}
}

func TestPortableFormSaysWhichFieldsAreRequiredAndWhichAreOutput(t *testing.T) {
	files := folder(t)
	marked := 0
	for _, want := range original {
		got := compileFolder(t, files, want.Path())
		for i := range want.Messages().Len() {
			fields := want.Messages().Get(i).Fields()
			for j := range fields.Len() {
				marks := func(field protoreflect.FieldDescriptor) []annotations.FieldBehavior {
					options := &descriptorpb.FieldOptions{}
					encoded, err := proto.Marshal(field.Options())
					if err == nil {
						err = proto.Unmarshal(encoded, options)
					}
					if err != nil {
						t.Fatal(err)
					}
					return proto.GetExtension(options, annotations.E_FieldBehavior).([]annotations.FieldBehavior)
				}
				field := fields.Get(j)
				marked += len(marks(field))
				if diff := cmp.Diff(marks(field), marks(got.Messages().Get(i).Fields().Get(j))); diff != "" {
					t.Errorf("%s: %s", field.FullName(), diff)
				}
			}
		}
	}
	if marked < 15 {
		t.Errorf("%d fields are marked", marked)
	}
}

// Every one of these stopped a compiler.
func TestPortableFormHasNoOptionThatOnlyServersRead(t *testing.T) {
	for path, content := range folder(t) {
		if strings.HasPrefix(path, "fluentcart/") {
			for line := range strings.Lines(content) {
				for _, option := range []string{"buf.validate", "debug_redact =", "openapiv2", "google.api.http"} {
					if strings.Contains(line, option) && !strings.HasPrefix(strings.TrimSpace(line), "//") {
						t.Errorf("%s: %s", path, line)
					}
				}
			}
		}
	}
}

// A client without protovalidate learns the limits from the comments only.
func TestCommentsOfThePortableFormGiveTheLimits(t *testing.T) {
	files := folder(t)
	limits := 0
	for _, file := range original {
		got := compileFolder(t, files, file.Path())
		for i := range file.Messages().Len() {
			fields := file.Messages().Get(i).Fields()
			for j := range fields.Len() {
				field := fields.Get(j)
				rules := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules).GetString()
				for _, limit := range []uint64{rules.GetMaxLen(), rules.GetMaxBytes()} {
					if limit == 0 {
						continue
					}
					limits++
					comment := got.SourceLocations().ByDescriptor(got.Messages().Get(i).Fields().Get(j)).LeadingComments
					if !strings.Contains(comment, strconv.FormatUint(limit, 10)) {
						t.Errorf("the comment of %s does not give %d: %s", field.FullName(), limit, comment)
					}
				}
			}
		}
	}
	if limits < 11 {
		t.Errorf("%d limits were found", limits)
	}
}
