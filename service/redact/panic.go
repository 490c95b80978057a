package redact

import (
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
)

// Panic returns what may be logged of a panic: what it was, and where. It is to be called where recover was.
//
// The value of a panic may be anything, such as a request or a text that was made of one, so only its type is told. The
// runtime's own errors name types, indices and addresses, and are told in full. A stack has functions, lines, and
// arguments as addresses and lengths: no text.
func Panic(panicked any) []slog.Attr {
	what := fmt.Sprintf("%T", panicked)
	if fault, ok := panicked.(runtime.Error); ok && ofRuntime(fault) {
		what = fault.Error()
	}
	return []slog.Attr{slog.String("panic", what), slog.String("stack", string(debug.Stack()))}
}

// ofRuntime tells the runtime's own errors from those of others, who may implement runtime.Error too.
func ofRuntime(fault runtime.Error) bool {
	kind := reflect.TypeOf(fault)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.PkgPath() == "runtime"
}
