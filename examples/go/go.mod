module github.com/fluentcart-gateway/fluentcart-gateway/examples/go

go 1.24.0

require (
	github.com/fluentcart-gateway/fluentcart-gateway/client v0.0.0
	github.com/fluentcart-gateway/fluentcart-gateway/gen v0.0.0
	google.golang.org/grpc v1.80.0
	google.golang.org/protobuf v1.36.12
)

require (
	buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go v1.36.12-20260825204119-511051f7f437.1 // indirect
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.28.0 // indirect
	golang.org/x/net v0.49.0 // indirect
	golang.org/x/sys v0.40.0 // indirect
	golang.org/x/text v0.34.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260209200024-4cfbd4190f57 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260209200024-4cfbd4190f57 // indirect
)

// In a program of your own, leave these out, and take released versions.
replace (
	github.com/fluentcart-gateway/fluentcart-gateway/client => ../../client
	github.com/fluentcart-gateway/fluentcart-gateway/gen => ../../gen
)
