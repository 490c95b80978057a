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

type route struct {
	method, template string
	call             string                                  // the full name of the method, as gRPC has it
	name             string                                  // its last part
	parameters       map[string]protoreflect.FieldDescriptor // of the query
}

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
				list = append(list, routeOf(binding, methods.Get(j)))
			}
		}
	}
	return list
}

func routeOf(rule *annotations.HttpRule, call protoreflect.MethodDescriptor) route {
	r := route{
		call: "/" + string(call.Parent().FullName()) + "/" + string(call.Name()), name: string(call.Name()),
		parameters: queryParameters(call.Input()),
	}
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.method, r.template = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Put:
		r.method, r.template = http.MethodPut, pattern.Put
	case *annotations.HttpRule_Post:
		r.method, r.template = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Patch:
		r.method, r.template = http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Delete:
		r.method, r.template = http.MethodDelete, pattern.Delete
	default:
		r.method, r.template = rule.GetCustom().GetKind(), rule.GetCustom().GetPath()
	}
	return r
}

// of returns the routes of a path.
func (r routes) of(path string) routes {
	var found routes
	for _, route := range r {
		if route.matches(path) {
			found = append(found, route)
		}
	}
	return found
}

// find returns the route of a method and path, or nil. HEAD is GET without the body of its response.
func (r routes) find(method, path string) *route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range r {
		if r[i].method == method && r[i].matches(path) {
			return &r[i]
		}
	}
	return nil
}

// methods returns the methods of the routes, as an Allow header lists them: a path that has GET has HEAD.
func (r routes) methods() []string {
	var methods []string
	for _, route := range r {
		methods = append(methods, route.method)
		if route.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return methods
}

// calls says which methods make which call, such as "GET and HEAD (GetCustomer), PUT and PATCH (UpdateCustomer)".
func (r routes) calls() string {
	var names []string
	for _, route := range r {
		if !slices.Contains(names, route.name) {
			names = append(names, route.name)
		}
	}
	for i, name := range names {
		same := slices.DeleteFunc(slices.Clone(r), func(other route) bool { return other.name != name })
		names[i] = strings.Join(same.methods(), " and ") + " (" + name + ")"
	}
	return strings.Join(names, ", ")
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
