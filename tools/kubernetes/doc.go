// Package kubernetes tests deploy/kubernetes: each overlay is built as `kubectl apply -k` would, decoded strictly into the types
// of the Kubernetes API, compared with the flags of the gateway, and its containers are started.
//
// It is a module of its own, because it is the only code that needs the types of Kubernetes.
package kubernetes
