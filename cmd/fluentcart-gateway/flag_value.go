package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"
)

// flagFaults keeps what is wrong with the values of flags, of the command line and of the environment alike. kong ends
// at the first fault; an operator should learn of all. A flag that is not known still ends it.
type flagFaults struct {
	faults []error
	flags  map[string]bool // those with faults
}

// Apply lets the values of all types that flags have be read in this way.
func (f *flagFaults) Apply(k *kong.Kong) error {
	usual := kong.NewRegistry().RegisterDefaults()
	for _, kind := range []struct {
		of     reflect.Type
		wanted string
	}{
		{reflect.TypeFor[string](), "a text"},
		{reflect.TypeFor[int](), "a whole number"},
		{reflect.TypeFor[float64](), "a number"},
		{reflect.TypeFor[[]string](), "a list"},
	} {
		option := kong.KindMapper(kind.of.Kind(), flagValue{usual.ForType(kind.of), kind.wanted, f})
		if err := option.Apply(k); err != nil {
			return err
		}
	}
	if err := kong.KindMapper(reflect.Bool, flagSwitch{flagValue{usual.ForType(reflect.TypeFor[bool]()), "true or false", f}}).Apply(k); err != nil {
		return err
	}
	return kong.TypeMapper(reflect.TypeFor[duration](), flagValue{usual.ForType(reflect.TypeFor[duration]()), "a time", f}).Apply(k)
}

func (f *flagFaults) add(flag, format string, args ...any) {
	fault := fmt.Errorf("--"+flag+format, args...)
	if f.flags == nil {
		f.flags = map[string]bool{}
	}
	f.flags[flag] = true
	if !slices.ContainsFunc(f.faults, func(known error) bool { return known.Error() == fault.Error() }) { // kong reads the environment more than once
		f.faults = append(f.faults, fault)
	}
}

// flagValue reads a value as kong does, and keeps its error.
type flagValue struct {
	usual  kong.Mapper
	wanted string
	faults *flagFaults
}

// Decode is called for each value.
func (v flagValue) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if next := ctx.Scan.Peek(); !next.IsValue() {
		v.faults.add(ctx.Value.Name, " has no value: give --%s=%s", ctx.Value.Name, ctx.Value.Flag.FormatPlaceHolder())
		// The default stands in, so that nothing else is said of the flag.
		instead := kong.DecodeContext{Value: ctx.Value, Scan: kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: ctx.Value.Default})}
		return v.usual.Decode(&instead, target)
	}
	v.decode(ctx, target)
	return nil
}

func (v flagValue) decode(ctx *kong.DecodeContext, target reflect.Value) {
	given := ctx.Scan.Peek()
	if v.usual.Decode(ctx, target) != nil {
		v.faults.add(ctx.Value.Name, "=%s: must be %s", shownValue(given.String()), v.wanted)
	}
}

// flagSwitch is flagValue for flags that need no value.
type flagSwitch struct{ flagValue }

// Decode is called for each value, and for none.
func (s flagSwitch) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	s.decode(ctx, target)
	return nil
}

// IsBool tells kong that no value is needed.
func (flagSwitch) IsBool() bool { return true }

// shownValue makes an empty value visible.
func shownValue(text string) string {
	if text == "" {
		return strconv.Quote(text)
	}
	return text
}
