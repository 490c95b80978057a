// Package dashboard tests the Grafana dashboard and the alert rules of deploy/: their form, and whether the metrics of running
// gateways answer each of their expressions.
package dashboard
