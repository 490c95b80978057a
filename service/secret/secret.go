// Package secret holds what must never be seen: passwords, tokens, and headers that carry them.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is a text that cannot be printed. Whatever formats, logs or marshals it, also as a field of something else, gets
// [secret] in its place, or less; only Reveal gives it out. The zero Text is empty.
type Text struct {
	// A function, and not a string: fmt and reflection walk through unexported fields without asking their methods,
	// and would print a string.
	reveal func() string
}

// New returns a Text.
func New(text string) Text {
	if text == "" {
		return Text{}
	}
	return Text{func() string { return text }}
}

// Reveal returns what is in it. It is for the one place that sends or compares it.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// Empty reports whether there is nothing in it.
func (t Text) Empty() bool { return t.Reveal() == "" }

const shown = "[secret]"

// String hides the text.
func (Text) String() string { return shown }

// GoString hides the text from %#v.
func (Text) GoString() string { return shown }

// Format hides the text from all verbs.
func (Text) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, shown) }

// MarshalText hides the text from JSON, XML and the like.
func (Text) MarshalText() ([]byte, error) { return []byte(shown), nil }

// LogValue hides the text from slog.
func (Text) LogValue() slog.Value { return slog.StringValue(shown) }
