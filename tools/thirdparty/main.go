// Thirdparty writes the .proto files that proto/ imports into a directory. It prints them from the descriptors in the Go
// modules that tools/go.mod pins, so that buf needs neither a schema registry nor third-party files in this repository.
//
//	go run ./thirdparty <directory>
package main

import (
	"fmt"
	"os"

	"github.com/jhump/protoreflect/v2/protoprint"
	"google.golang.org/protobuf/reflect/protoreflect"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	"google.golang.org/genproto/googleapis/api/annotations"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: thirdparty <directory to write to>")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "thirdparty:", err)
		os.Exit(1)
	}
}

// write prints the imported files and their own imports, without those of google/protobuf, which are built into buf.
func write(dir string) error {
	if err := os.RemoveAll(dir); err != nil { //nolint:gosec // the directory that the command line names
		return err
	}
	var files []protoreflect.FileDescriptor
	seen := map[string]bool{}
	var add func(protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] || file.Package() == "google.protobuf" {
			return
		}
		seen[file.Path()] = true
		files = append(files, file)
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
	}
	add(annotations.File_google_api_annotations_proto)
	add(annotations.File_google_api_field_behavior_proto)
	add(validate.File_buf_validate_validate_proto)
	add(options.File_protoc_gen_openapiv2_options_annotations_proto)

	printer := &protoprint.Printer{}
	return printer.PrintProtosToFileSystem(files, dir)
}
