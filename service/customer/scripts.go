package customer

import "strings"

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
