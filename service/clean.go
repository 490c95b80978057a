package service

import "strings"

// phpSpace is what PHP takes for space. No-break and ideographic spaces are letters to it.
const phpSpace = " \t\n\r\x00\x0b"

// trim takes the outer space away, as PHP does.
func trim(text string) string { return strings.Trim(text, phpSpace) }

// clean returns a text as the store keeps it. It serves predictions and explanations only: what is written is
// left for the store to clean, and what is answered is what the store says.
//
// A caller chooses the text, and a store may answer one of any size: each step goes through it once, from its start to
// its end, whatever it holds.
func clean(text string) string {
	return trim(singleSpaced(withoutOctets(withoutTags(withoutScripts(text)))))
}

// What WordPress takes out with all that is in it (F10).
var contained = [...]struct{ opening, closing string }{{"<script", "</script>"}, {"<style", "</style>"}}

// withoutScripts takes scripts and styles out, those that have an end.
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
			if next[kind].start < from { // else it is known still, and is not looked for anew
				next[kind] = nextContained(text, kind, from)
			}
		}
	}
	return out.String() + text[from:]
}

// span is a part of a text; at the text's end if there is none.
type span struct{ start, end int }

// nextContained finds the next script or style. One without an end has none after it that has one.
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

// indexFold returns where a word that begins with < is next, in any case.
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

// withoutTags takes out what is written like a tag. A `<` in front of a space, or without its `>`, stays.
func withoutTags(text string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(text, '<')
		if start < 0 || start+1 == len(text) {
			break
		}
		end := start + 1
		if strings.IndexByte(" \t\n\f\r<>", text[end]) < 0 {
			if end = indexAngle(text, end); end == len(text) {
				break
			}
			if text[end] == '>' {
				out.WriteString(text[:start])
				text = text[end+1:]
				continue
			}
		}
		out.WriteString(text[:end])
		text = text[end:]
	}
	return out.String() + text
}

// indexAngle returns where the next < or > is, or the end.
func indexAngle(text string, from int) int {
	for from < len(text) && text[from] != '<' && text[from] != '>' {
		from++
	}
	return from
}

// withoutOctets takes out each % with two hexadecimal digits. Taking one out can make another, of what stood before and
// after it, so each digit is looked at together with what is left in front of it.
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

// singleSpaced makes one space of each run of spaces, tabs and line breaks.
func singleSpaced(text string) string {
	out := make([]byte, 0, len(text))
	spaced := false
	for i := range len(text) {
		c := text[i]
		isSpace := c == ' ' || c == '\t' || c == '\r' || c == '\n'
		switch {
		case !isSpace:
			out = append(out, c)
		case !spaced:
			out = append(out, ' ')
		}
		spaced = isSpace
	}
	return string(out)
}
