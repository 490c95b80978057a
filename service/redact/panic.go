package redact

import (
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
)

// Panic returns the log attributes of a panic: its type and the stack. Call it in the function that called recover.
//
// The value of a panic may be anything, such as a request or a text made from one, so only its type is logged. The
// runtime's own errors name types, indices and addresses, and are logged in full. A stack shows functions, lines, and
// arguments as addresses and lengths, but no text.
func Panic(panicked any) []slog.Attr {
	what := fmt.Sprintf("%T", panicked)
	if fault, ok := panicked.(runtime.Error); ok && ofRuntime(fault) {
		what = fault.Error()
	}
	return []slog.Attr{slog.String("panic", what), slog.String("stack", string(debug.Stack()))}
}

// ofRuntime reports whether an error is one of the runtime's own. Other packages can implement runtime.Error too.
func ofRuntime(fault runtime.Error) bool {
	kind := reflect.TypeOf(fault)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	return kind.PkgPath() == "runtime"
}
