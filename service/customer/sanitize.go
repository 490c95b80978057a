package customer

import (
	"strings"
)

// phpSpace are the characters that PHP trims as space. It treats no-break and ideographic spaces as letters.
const phpSpace = " \t\n\r\x00\x0b"

// trim removes the outer space, as PHP does.
func trim(text string) string { return strings.Trim(text, phpSpace) }

// sanitize returns a text as the store keeps it (F10). It is for the dry run, comparisons and explanations only: the
// store sanitizes what is written, and the response shows what the store returned.
//
// The caller chooses the text, and a store may return one of any size, so each step takes linear time: it goes through
// the text once, from start to end.
func sanitize(text string) string {
	text = withoutOctets(withoutTags(withoutScripts(text)))
	return trim(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }), " "))
}

// withoutTags removes everything written like a tag. A `<` before a space, or without a `>`, stays.
func withoutTags(text string) string {
	var out strings.Builder
	for {
		before, rest, _ := strings.Cut(text, "<")
		end := strings.IndexAny(rest, "<>")
		if end < 0 {
			return out.String() + text
		}
		out.WriteString(before)
		if rest[end] == '>' && strings.IndexByte("> \t\n\f\r", rest[0]) < 0 {
			text = rest[end+1:]
			continue
		}
		out.WriteString("<" + rest[:end])
		text = rest[end:]
	}
}

// contained are the elements that WordPress removes together with their content (F10).
var contained = [...]struct{ opening, closing string }{{"<script", "</script>"}, {"<style", "</style>"}}

// withoutScripts removes the scripts and styles that have a closing tag.
func withoutScripts(text string) string {
	var next [len(contained)]span
	for kind := range contained {
		next[kind] = nextContained(text, kind, 0)
	}
	var out strings.Builder
	from := 0
	for {
		first := next[0]
		for _, other := range next[1:] {
			if other.start < first.start {
				first = other
			}
		}
		if first.start == len(text) {
			break
		}
		out.WriteString(text[from:first.start])
		from = first.end
		for kind := range next {
			if next[kind].start < from { // an earlier result beyond from is still valid
				next[kind] = nextContained(text, kind, from)
			}
		}
	}
	return out.String() + text[from:]
}

// span is a part of a text. An empty span at the end of the text stands for none.
type span struct{ start, end int }

// nextContained finds the next script or style. If one has no closing tag, no later one of its kind has.
func nextContained(text string, kind, from int) span {
	none := span{len(text), len(text)}
	start := indexFold(text, contained[kind].opening, from)
	if start < 0 {
		return none
	}
	opened := strings.IndexByte(text[start:], '>')
	if opened < 0 {
		return none
	}
	closing := indexFold(text, contained[kind].closing, start+opened+1)
	if closing < 0 {
		return none
	}
	return span{start, closing + len(contained[kind].closing)}
}

// indexFold returns the next position of a word that begins with <, ignoring case, or -1.
func indexFold(text, word string, from int) int {
	for {
		i := strings.IndexByte(text[from:], word[0])
		if i < 0 || from+i+len(word) > len(text) {
			return -1
		}
		from += i
		if strings.EqualFold(text[from:from+len(word)], word) {
			return from
		}
		from++
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
