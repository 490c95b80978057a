package main

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// portable returns copies of the files without the options that only servers read, of which each stops some compiler:
// protobufjs cannot read buf/validate/validate.proto nor a list of HTTP bindings, and protoc before 22 does not know
// debug_redact. The files that only these options need are left out. Neither the encoding of a message nor its JSON changes.
func portable(files []*descriptorpb.FileDescriptorProto) []*descriptorpb.FileDescriptorProto {
	needed := map[string]bool{}
	var kept []*descriptorpb.FileDescriptorProto
	for _, file := range slices.Backward(files) { // a file comes after those that it imports
		isOwn := strings.HasPrefix(file.GetName(), "fluentcart/")
		isOfErrors := strings.HasPrefix(file.GetName(), "google/rpc/")
		if !isOwn && !isOfErrors && !needed[file.GetName()] {
			continue
		}
		file = proto.CloneOf(file)
		if isOwn {
			removeOptions(file.ProtoReflect())
			file.Dependency = slices.DeleteFunc(file.GetDependency(), isForServersOnly)
		}
		for _, imported := range file.GetDependency() {
			needed[imported] = true
		}
		kept = append(kept, file)
	}
	slices.Reverse(kept)
	return kept
}

// isForServersOnly reports whether a file defines nothing but options that servers read.
func isForServersOnly(path string) bool {
	return path == "google/api/annotations.proto" ||
		strings.HasPrefix(path, "buf/validate/") ||
		strings.HasPrefix(path, "protoc-gen-openapiv2/")
}

// removeOptions removes the options of those files, and debug_redact.
func removeOptions(message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsExtension() && isForServersOnly(field.ParentFile().Path()), field.FullName() == "google.protobuf.FieldOptions.debug_redact":
			message.Clear(field)
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				removeOptions(value.List().Get(i).Message())
			}
		default:
			removeOptions(value.Message())
		}
		return true
	})
}
