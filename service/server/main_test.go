package server_test

import (
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when anything still runs after the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(disconnected{m}) }

// disconnected closes the connections that the tests' own client keeps.
type disconnected struct{ *testing.M }

func (d disconnected) Run() int {
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return d.M.Run()
}
