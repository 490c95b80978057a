package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

const canary = "hunter2-canary"

// holder holds secrets in fields whose methods fmt cannot call.
type holder struct {
	Public secret.Text
	hidden secret.Text
	nested *struct{ deeper []secret.Text }
}

func TestSecretIsNeverPrinted(t *testing.T) {
	text := secret.New(canary)
	for name, value := range map[string]any{
		"a value":             text,
		"a pointer":           &text,
		"a field":             holder{Public: text, hidden: text, nested: &struct{ deeper []secret.Text }{[]secret.Text{text}}},
		"a map":               map[string]secret.Text{"password": text},
		"a key of a map":      map[fmt.Stringer]int{&text: 1},
		"an unexported field": []holder{{hidden: text}},
		"an error":            fmt.Errorf("cannot use %v: %w", text, errors.New(fmt.Sprint(text))),
	} {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3s", "%U"} {
				lacksCanary(t, verb, fmt.Sprintf(verb, value))
			}
			for _, newHandler := range []func(*bytes.Buffer) slog.Handler{
				func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
				func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			} {
				var log bytes.Buffer
				slog.New(newHandler(&log)).Info("configured", slog.Any("value", value))
				lacksCanary(t, "slog", log.String())
			}
			if content, err := json.Marshal(value); err == nil {
				lacksCanary(t, "json", string(content))
			}
			if content, err := xml.Marshal(value); err == nil {
				lacksCanary(t, "xml", string(content))
			}
			var content bytes.Buffer
			if gob.NewEncoder(&content).Encode(value) == nil {
				lacksCanary(t, "gob", content.String())
			}
		})
	}
}

func lacksCanary(t *testing.T, how, printed string) {
	t.Helper()
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("%d", []byte(canary))} {
		if strings.Contains(printed, form) {
			t.Errorf("%s prints the secret: %s", how, printed)
		}
	}
}

func TestRevealReturnsTheSecret(t *testing.T) {
	if got := secret.New(canary).Reveal(); got != canary {
		t.Errorf("revealed %q", got)
	}
	var none secret.Text
	if !none.Empty() || none.Reveal() != "" || !secret.New("").Empty() || secret.New(canary).Empty() {
		t.Error("Empty must be true for a text without characters, and only for that")
	}
}
