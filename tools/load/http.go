package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// maxBody bounds a response. The gateway's own are a few KiB.
const maxBody = 1 << 20

// newHTTPCaller calls the HTTP/JSON gateway over kept connections. Each call is sent once: the method is PATCH, which the
// standard library does not send again, and redirects are not followed.
func newHTTPCaller(cfg config, addr string, encryption *tls.Config, authorization string) *caller {
	scheme := "http"
	if encryption != nil {
		scheme = "https"
	}
	transport := &http.Transport{TLSClientConfig: encryption, MaxIdleConnsPerHost: cfg.parallel, MaxConnsPerHost: cfg.parallel} // and no proxy
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	call := func(ctx context.Context, u update) (outcome, string) {
		body, err := json.Marshal(map[string]string{"notes": u.notes})
		if err != nil {
			return outcome{Code: noResponse}, err.Error()
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPatch, fmt.Sprintf("%s://%s/v1/customers/%d", scheme, addr, u.customer), bytes.NewReader(body))
		if err != nil {
			return outcome{Code: noResponse}, err.Error()
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Grpc-Timeout", strconv.FormatInt(max(cfg.deadline.Milliseconds(), 1), 10)+"m")
		if authorization != "" {
			request.Header.Set("Authorization", authorization)
		}
		response, err := client.Do(request)
		if err != nil {
			return outcome{Code: noResponse}, err.Error()
		}
		defer response.Body.Close() //nolint:errcheck // it has been read, or the call has failed
		content, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
		if err != nil {
			return outcome{Code: noResponse}, err.Error()
		}
		return httpOutcome(response.StatusCode, content, u.notes)
	}
	return &caller{call: call, close: transport.CloseIdleConnections, extra: time.Second}
}

// httpOutcome reads a response. An error is a google.rpc.Status as JSON; a response of something else in between is not.
func httpOutcome(httpStatus int, content []byte, notes string) (outcome, string) {
	var response struct {
		Data *struct{ Notes string }

		Code    int32
		Message string
		Details []struct {
			Reason   string
			Domain   string
			Metadata map[string]string
		}
	}
	err := json.Unmarshal(content, &response)
	switch {
	case err == nil && httpStatus == http.StatusOK && response.Data != nil:
		return okOutcome(response.Data.Notes == notes), ""
	case err != nil || response.Code == 0:
		return outcome{Code: noResponse}, fmt.Sprintf("HTTP %d, and the body is not one of the gateway", httpStatus)
	}
	var info *errdetails.ErrorInfo
	for _, detail := range response.Details {
		if detail.Domain != "" {
			info = &errdetails.ErrorInfo{Reason: detail.Reason, Metadata: detail.Metadata}
		}
	}
	return errorOutcome(response.Code, info), response.Message
}
