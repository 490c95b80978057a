package kubernetes

import (
	"strings"
	"testing"
)

// Each check finds what it is there for: a row changes one line of the files, as a slip of the hand would.
func TestFaultsAreFound(t *testing.T) {
	const (
		deployment = "base/deployment.yaml"
		autoscaler = "overlays/redis/autoscaler.yaml"
		budget     = "overlays/redis/disruptionbudget.yaml"
		redis      = "overlays/redis/settings.env"
		password   = "components/store/password.yaml"
	)
	for _, row := range []struct {
		name string
		edit
		overlay, reported string
	}{
		{"a flag that does not exist", edit{deployment, "--log-format=json", "--log-form=json"}, "redis", "unknown flag --log-form"},
		{"a variable that does not exist", edit{redis, "STORE_USERNAME", "STORE_USER"}, "redis", "unknown flag --store-user"},
		{"a variable of Go", edit{redis, "FLUENTCART_GATEWAY_MAX_IN_FLIGHT=4", "GOMEMLIMIT=200MiB"}, "redis", "GOMEMLIMIT"},
		{"a value that is not valid", edit{redis, "WRITE_SETTLE_TIME=30s", "WRITE_SETTLE_TIME=1s"}, "redis", "--write-settle-time=1s"},
		{"unauthenticated callers that nobody has allowed", edit{"overlays/sandbox/settings.env", "ALLOW_UNAUTHENTICATED=true", "ALLOW_UNAUTHENTICATED=false"}, "sandbox", "callers are not authenticated"},
		{"a port that the gateway does not listen on", edit{deployment, "containerPort: 9090", "containerPort: 9000"}, "redis", "the port grpc of its container is 9000"},
		{"an admin server on loopback", edit{deployment, "--admin-addr=:9091", "--admin-addr=127.0.0.1:9091"}, "redis", "127.0.0.1:9091"},
		{"a probe of gRPC", edit{deployment, "          livenessProbe: # fails only if the process hangs: a restart mends neither a store nor Redis\n            httpGet:\n              path: /livez\n              port: admin", "          livenessProbe:\n            grpc:\n              port: 9090"}, "redis", "the liveness probe is not one over HTTP"},
		{"a probe of the port for callers", edit{deployment, "              path: /readyz\n              port: admin", "              path: /readyz\n              port: http"}, "redis", "the readiness probe does not ask the admin server"},
		{"a liveness probe that asks Redis", edit{deployment, "          livenessProbe: # fails only if the process hangs: a restart mends neither a store nor Redis\n            httpGet:\n              path: /livez", "          livenessProbe:\n            httpGet:\n              path: /readyz"}, "redis", "restart all gateways"},
		{"a stop that is cut short", edit{deployment, "terminationGracePeriodSeconds: 35", "terminationGracePeriodSeconds: 30"}, "redis", "terminationGracePeriodSeconds is less than the 33s"},
		{"a longer drain with the same time to stop", edit{redis, "FLUENTCART_GATEWAY_MAX_IN_FLIGHT=4", "FLUENTCART_GATEWAY_DRAIN_TIMEOUT=40s"}, "redis", "terminationGracePeriodSeconds is less than the 48s"},
		{"no drain delay", edit{deployment, "            - --drain-delay=5s\n", ""}, "redis", "--drain-delay=0s"},
		{"a replica taken away too early", edit{deployment, "maxUnavailable: 0", "maxUnavailable: 1"}, "redis", "maxUnavailable is not 0"},
		{"root", edit{deployment, "runAsNonRoot: true", "runAsNonRoot: false"}, "redis", "runAsNonRoot"},
		{"capabilities", edit{deployment, "drop: [ALL]", "drop: [NET_RAW]"}, "redis", "unrestricted capabilities"},
		{"no seccomp profile", edit{deployment, "type: RuntimeDefault", "type: Unconfined"}, "redis", "seccompProfile"},
		{"a writable root", edit{deployment, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"}, "redis", "not read-only"},
		{"a token of the API", edit{deployment, "      automountServiceAccountToken: false", "      automountServiceAccountToken: true"}, "redis", "has a token"},
		{"variables of Services", edit{deployment, "enableServiceLinks: false", "enableServiceLinks: true"}, "redis", "variables of Services"},
		{"no request for CPU", edit{deployment, "              cpu: 200m\n", ""}, "redis", "needs requests"},
		{"a secret that everyone can read", edit{password, "defaultMode: 0440", "defaultMode: 0444"}, "redis", "the mode of store"},
		{"a secret that only root can read", edit{password, "defaultMode: 0440", "defaultMode: 0400"}, "redis", "the mode of store"},
		{"a secret without a group", edit{deployment, "        fsGroup: 65532 # the group of the files of Secrets, whose mode is 0440\n", ""}, "redis", "without fsGroup"},
		{"a file outside its volume", edit{password, "value: /etc/fluentcart-gateway/store/password", "value: /etc/fluentcart-gateway/password"}, "redis", "no Secret is mounted there"},
		{"a key that nobody creates", edit{password, "value: /etc/fluentcart-gateway/store/password", "value: /etc/fluentcart-gateway/store/secret"}, "redis", "without the key secret"},
		{"a secret that nobody creates", edit{password, "secretName: fluentcart-gateway-store", "secretName: fluentcart-gateway-shop"}, "redis", "secret fluentcart-gateway-shop is not created"},
		{"a single file", edit{password, "              readOnly: true", "              subPath: x"}, "redis", "a single file is never updated"},
		{"a service that selects nothing", edit{"base/service.yaml", "  selector: *labels", "  selector: {app.kubernetes.io/name: gateway}"}, "redis", "service fluentcart-gateway selects no pod"},
		{"a service that leads nowhere", edit{"base/service.yaml", "targetPort: http", "targetPort: web"}, "redis", `leads to "web"`},
		{"a service that leads to pods that are not ready", edit{"base/service-grpc.yaml", "publishNotReadyAddresses: false", "publishNotReadyAddresses: true"}, "redis", "not ready"},
		{"a service of the admin server", edit{"base/service.yaml", "      port: 8080\n      targetPort: http", "      port: 9091\n      targetPort: admin"}, "redis", "the admin server does not authenticate"},
		{"a spread that counts nothing", edit{deployment, "        - topologyKey: kubernetes.io/hostname\n          maxSkew: 1\n          whenUnsatisfiable: ScheduleAnyway\n          labelSelector:\n            matchLabels: *labels", "        - topologyKey: kubernetes.io/hostname\n          maxSkew: 1\n          whenUnsatisfiable: ScheduleAnyway\n          labelSelector:\n            matchLabels: {app: gateway}"}, "redis", "kubernetes.io/hostname does not count"},
		{"an autoscaler of nothing", edit{autoscaler, "    kind: Deployment", "    kind: StatefulSet"}, "redis", "which does not exist"},
		{"more gateways than the store has workers for", edit{autoscaler, "maxReplicas: 3", "maxReplicas: 9"}, "redis", "9 × 4 = 36"},
		{"more slots than the store has workers", edit{redis, "MAX_IN_FLIGHT=4", "MAX_IN_FLIGHT=8"}, "redis", "3 × 8 = 24"},
		{"no number of gateways in a rollout", edit{deployment, "maxSurge: 1", "# maxSurge: 1"}, "redis", "maxSurge is not set"},
		{"more gateways in a rollout", edit{deployment, "maxSurge: 1", "maxSurge: 3"}, "redis", "(3 + 4) × 4 = 28"},
		{"replicas beside an autoscaler", edit{deployment, "  selector:\n    matchLabels: *labels\n  strategy:", "  replicas: 2\n  selector:\n    matchLabels: *labels\n  strategy:"}, "redis", "replicas is set"},
		{"a budget that keeps all replicas", edit{budget, "maxUnavailable: 1", "minAvailable: 2"}, "redis", "no node can be drained"},
		{"a budget that keeps none", edit{budget, "maxUnavailable: 1", "maxUnavailable: 2"}, "redis", "go at once"},
		{"two gateways without Redis", edit{"overlays/single/statefulset.yaml", "  value: 1 # never more: a second one has leases of its own", "  value: 2"}, "single", "without Redis there must be one gateway"},
		{"a second gateway while one drains", edit{"overlays/single/kustomization.yaml", "  - path: statefulset.yaml\n    target:\n      kind: Deployment\n      name: fluentcart-gateway\n    options:\n      allowKindChange: true\n", ""}, "single", "not a Deployment"},
		{"a gateway that writes right after a crash", edit{"overlays/single/statefulset.yaml", "  value: 30", "  value: 0"}, "single", "writes may be in doubt for 30s"},
		{"the same, by a longer settle time", edit{"overlays/single/settings.env", "SETTLE_TIME=30s", "SETTLE_TIME=60s"}, "single", "writes may be in doubt for 1m0s"},
		{"clients that know the address of the pod", edit{"overlays/single/kustomization.yaml", "  - path: service-grpc.yaml\n", ""}, "single", "before it is ready"},
		{"two sandbox stores", edit{"overlays/sandbox/kustomization.yaml", "count: 1", "count: 2"}, "sandbox", "there must be one"},
		{"a Redis that is not there", edit{"components/redis/gateway.yaml", "redis://fluentcart-gateway-redis:6379", "redis://redis:6379"}, "redis", "no such service"},
		{"two Redis", edit{"components/redis/redis.yaml", "replicas: 1", "replicas: 2"}, "redis", "two Redis"},
		{"a port of Redis that nobody opens", edit{"components/redis/networkpolicy.yaml", "        - port: 6379\n---", "        - port: 6380\n---"}, "redis", "reach Redis"},
		{"callers that reach the admin server", edit{"base/networkpolicy.yaml", "        - port: 8080", "        - port: 9091"}, "redis", "opens the admin server to callers"},
		{"a port that no policy opens", edit{"base/networkpolicy.yaml", "        - port: 8080\n", ""}, "redis", "no network policy opens the port http"},
		{"a policy for a port that does not exist", edit{"base/networkpolicy.yaml", "        - port: 8080", "        - port: 80"}, "redis", "has no such port"},
		{"a store that cannot be reached", edit{"components/store/networkpolicy.yaml", "        - port: 443", "        - port: 80"}, "redis", "reach the store"},
		{"metrics at another port", edit{"components/podmonitor/podmonitor.yaml", "port: admin", "port: http"}, "redis", "the metrics are on the port admin"},
		{"a monitor of nothing", edit{"components/podmonitor/podmonitor.yaml", "    matchLabels: *labels", "    matchLabels: {app: gateway}"}, "redis", "pod monitor fluentcart-gateway selects no pod"},
		{"an object without a namespace", edit{"overlays/redis/kustomization.yaml", "namespace: fluentcart-gateway\n", ""}, "redis", `namespace ""`},
		{"a name that Kubernetes refuses", edit{"base/service.yaml", "  name: fluentcart-gateway\n", "  name: Gateway\n"}, "redis", "Gateway: name: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			found := strings.Join(build(t, "overlays/"+row.overlay, row.edit).problems(), "\n")
			if !strings.Contains(found, row.reported) {
				t.Errorf("got the problems %q, want one with %q", found, row.reported)
			}
		})
	}
}

// The base names no namespace: an overlay does.
func TestBaseHasNoNamespace(t *testing.T) {
	for _, object := range build(t, "base").objects {
		if object.GetNamespace() != "" {
			t.Errorf("%s is in the namespace %s", object.GetName(), object.GetNamespace())
		}
	}
}
