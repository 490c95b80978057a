// Package secret holds text that must never be printed: passwords, tokens, and headers that carry them.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is a text that cannot be printed. If it is formatted, logged or marshalled, also as a field of another value, the
// output holds [secret] in its place, or nothing. Only Reveal returns the text. The zero Text is empty.
type Text struct {
	// The text is kept in a closure, not in a string: fmt and reflection read unexported fields without calling their
	// String methods, and would print a string.
	reveal func() string
}

// New returns a Text that holds text.
func New(text string) Text {
	if text == "" {
		return Text{}
	}
	return Text{func() string { return text }}
}

// Reveal returns the text. Call it only where the text is sent or compared.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// Empty reports whether the text is empty.
func (t Text) Empty() bool { return t.Reveal() == "" }

const shown = "[secret]"

// String returns [secret].
func (Text) String() string { return shown }

// GoString returns [secret] to the verb %#v.
func (Text) GoString() string { return shown }

// Format writes [secret] for every verb.
func (Text) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, shown) }

// MarshalText returns [secret] to encoders of JSON, XML and other formats.
func (Text) MarshalText() ([]byte, error) { return []byte(shown), nil }

// LogValue returns [secret] to slog.
func (Text) LogValue() slog.Value { return slog.StringValue(shown) }
