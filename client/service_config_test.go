package client_test

import (
	"encoding/json"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

func TestGRPCAcceptsTheServiceConfig(t *testing.T) {
	conn, err := grpc.NewClient("dns:///gateway.example:9090",
		grpc.WithDefaultServiceConfig(client.ServiceConfig()), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// A method that the service config misses would have no timeout and no retries. A new one that writes needs a decision.
func TestServiceConfigNamesEveryMethod(t *testing.T) {
	var config struct {
		HealthCheckConfig struct{ ServiceName string }
		MethodConfig      []struct {
			Name []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal([]byte(client.ServiceConfig()), &config); err != nil {
		t.Fatal(err)
	}
	service := customerv1.CustomerService_ServiceDesc
	if got := config.HealthCheckConfig.ServiceName; got != service.ServiceName {
		t.Errorf("health checks ask for %q", got)
	}
	named := map[string]int{}
	for _, method := range config.MethodConfig {
		for _, name := range method.Name {
			named[name.Service+"/"+name.Method]++
		}
	}
	for _, method := range service.Methods {
		if n := named[service.ServiceName+"/"+method.MethodName]; n != 1 {
			t.Errorf("%s is named %d times", method.MethodName, n)
		}
	}
	if len(named) != len(service.Methods) {
		t.Errorf("%v are named, which are not all methods of the service", named)
	}
}
