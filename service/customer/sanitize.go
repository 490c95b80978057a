package customer

import (
	"strings"
	"unicode/utf8"
)

// phpSpace are the characters that PHP trims as space. It treats no-break and ideographic spaces as letters.
const phpSpace = " \t\n\r\x00\x0b"

// trim removes the outer space, as PHP does.
func trim(text string) string { return strings.Trim(text, phpSpace) }

// sanitize returns a text as the store keeps it (F10, F28): what WordPress's sanitize_text_field returns. It is for the
// dry run, comparisons and explanations only: the store sanitizes what is written, and the response shows what the store
// returned.
//
// A caller chooses the text, and a store may return one of any size, so each step takes linear time.
func sanitize(text string) string {
	if !utf8.ValidString(text) {
		return ""
	}
	if strings.Contains(text, "<") {
		text = trim(withoutTags(withoutScripts(escapeUnclosed(text))))
		text = strings.ReplaceAll(text, "<\n", "&lt;\n")
	}
	text = trim(oneSpace(text, "\r\n\t "))
	if kept := withoutOctets(text); len(kept) < len(text) {
		text = trim(oneSpace(kept, " "))
	}
	return text
}

// oneSpace replaces each run of some characters by one space.
func oneSpace(text, spaces string) string {
	if !strings.ContainsAny(text, "\r\n\t") && !strings.Contains(text, "  ") {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		switch {
		case strings.IndexByte(spaces, text[i]) < 0:
			out = append(out, text[i])
		case i == 0 || strings.IndexByte(spaces, text[i-1]) < 0:
			out = append(out, ' ')
		}
	}
	return string(out)
}

// escapeUnclosed escapes each < that has no > before the next < or the end, together with the text up to there (F28).
func escapeUnclosed(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for {
		open := strings.IndexByte(text, '<')
		if open < 0 {
			out.WriteString(text)
			return out.String()
		}
		end := len(text)
		if next := strings.IndexAny(text[open+1:], "<>"); next >= 0 {
			end = open + 1 + next
		}
		if end < len(text) && text[end] == '>' {
			end++
			out.WriteString(text[:end])
		} else {
			out.WriteString(text[:open])
			out.WriteString(escapeHTML(text[open:end]))
		}
		text = text[end:]
	}
}

// withoutOctets removes each % with two hexadecimal digits. Removing one can form another from the text before and after
// it, so each digit is checked against what was kept in front of it.
func withoutOctets(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	kept := make([]byte, 0, len(text))
	for i := range len(text) {
		kept = append(kept, text[i])
		if n := len(kept) - 3; n >= 0 && kept[n] == '%' && isHex(kept[n+1]) && isHex(kept[n+2]) {
			kept = kept[:n]
		}
	}
	return string(kept)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
