package httpjson

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// routes are the paths and methods in the contract's google.api.http annotations. grpc-gateway does the routing; routes
// are for the errors about a path or method that is not served.
type routes []route

type route struct{ method, template string }

// routesOf reads the annotations of all calls of a file.
func routesOf(file protoreflect.FileDescriptor) routes {
	var list routes
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			rule, ok := proto.GetExtension(methods.Get(j).Options(), annotations.E_Http).(*annotations.HttpRule)
			if !ok {
				continue
			}
			for _, binding := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
				list = append(list, routeOf(binding))
			}
		}
	}
	return list
}

func routeOf(rule *annotations.HttpRule) route {
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return route{http.MethodGet, pattern.Get}
	case *annotations.HttpRule_Put:
		return route{http.MethodPut, pattern.Put}
	case *annotations.HttpRule_Post:
		return route{http.MethodPost, pattern.Post}
	case *annotations.HttpRule_Patch:
		return route{http.MethodPatch, pattern.Patch}
	case *annotations.HttpRule_Delete:
		return route{http.MethodDelete, pattern.Delete}
	}
	return route{rule.GetCustom().GetKind(), rule.GetCustom().GetPath()}
}

// methods returns the methods that a path accepts.
func (r routes) methods(path string) []string {
	var methods []string
	for _, route := range r {
		if route.matches(path) {
			methods = append(methods, route.method)
		}
	}
	return methods
}

// serve reports whether a path accepts a method.
func (r routes) serve(method, path string) bool {
	return slices.ContainsFunc(r, func(one route) bool { return one.method == method && one.matches(path) })
}

func (r route) matches(path string) bool {
	for template := r.template; ; {
		wanted, restOfTemplate, more := strings.Cut(template, "/")
		segment, restOfPath, moreOfPath := strings.Cut(path, "/")
		if more != moreOfPath || wanted != segment && (segment == "" || !strings.HasPrefix(wanted, "{")) {
			return false
		}
		if !more {
			return true
		}
		template, path = restOfTemplate, restOfPath
	}
}

// String lists the paths.
func (r routes) String() string {
	var paths []string
	for _, route := range r {
		if !slices.Contains(paths, route.template) {
			paths = append(paths, route.template)
		}
	}
	return strings.Join(paths, " and ")
}
