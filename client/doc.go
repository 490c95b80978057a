// Package client connects Go programs to the gateway over gRPC, and says what an error means for the write.
//
// [DialOptions] are for [grpc.NewClient]; the calls are those of the generated stubs, customerv1.CustomerServiceClient.
// [Outcome] is the first question to an error of an update: whether the customer was written. [Reason], [Violations] and
// [RetryAfter] read its details.
//
// # Retries
//
// A call is repeated by the numbers in service-config.json: at most three times, after the time that the gateway asks for,
// within the deadline. This package repeats calls itself, and switches gRPC's own retries off, for three reasons:
//
//   - To gRPC a connection that broke after the request was sent is UNAVAILABLE, as a rejection by the gateway is, and its
//     retry policy repeats both. But the update may have been written, and the repeated one could overwrite a change that
//     another caller has made in between, or report ETAG_MISMATCH because of its own first attempt. This package repeats an
//     update only if nothing was written for certain: the gateway says so, or the request has not left this process.
//   - gRPC waits for its next attempt even if the deadline comes first. The call then fails with DEADLINE_EXCEEDED, which
//     says nothing about the write, in place of the gateway's answer that nothing was written.
//   - gRPC does not know the time in RetryInfo.
//
// A read is repeated after a broken connection too.
package client
