package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
)

// Settings returns the flags that have a value, with their values, for the log. Secrets are in files, and a URL is shown
// without its user.
func (c *Config) Settings() []slog.Attr {
	flags := Flags(*c)
	parser, err := kong.New(&flags, kong.Vars{"default": ""})
	if err != nil {
		return []slog.Attr{slog.String("error", err.Error())}
	}
	var settings []slog.Attr
	for _, flag := range parser.Model.Flags {
		if value := flag.Target; flag.Name != "help" && !value.IsZero() {
			settings = append(settings, slog.String(flag.Name, shown(value)))
		}
	}
	return settings
}

func shown(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		value = value.Elem()
	}
	text := fmt.Sprint(value.Interface())
	if took, ok := value.Interface().(time.Duration); ok {
		return took.String()
	}
	if address, err := url.Parse(text); err == nil && address.User != nil {
		address.User = nil
		return address.String()
	}
	return text
}
