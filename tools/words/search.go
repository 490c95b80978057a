package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// entry is a row of the table of retired words.
type entry struct {
	phrases []string
	say     string
}

// finding is one use of a retired word. Its line is 0 if the word is in the path.
type finding struct {
	path string
	line int
	word string
	say  string
}

// String returns the line that is printed.
func (f finding) String() string {
	if f.line == 0 {
		return fmt.Sprintf("%s: %s in the file's name: say %s", f.path, f.word, f.say)
	}
	return fmt.Sprintf("%s:%d: %s: say %s", f.path, f.line, f.word, f.say)
}

// phrase is a sequence of words with what may join them.
type phrase struct {
	text  string
	words []token
	say   string
}

// search finds phrases by their first word.
type search map[string][]phrase

func newSearch(table []entry) search {
	s := search{}
	for _, row := range table {
		for _, text := range row.phrases {
			words := tokens(text)
			s[words[0].text] = append(s[words[0].text], phrase{text, words, row.say})
		}
	}
	return s
}

// file returns the findings in a file's path and text, in the order of the lines.
func (s search) file(path, text string) []finding {
	var found []finding
	for _, f := range s.words(tokens(path)) {
		f.path, f.line = path, 0
		found = append(found, f)
	}
	inText := slices.Concat(s.words(tokens(text)), sentences(path, text))
	slices.SortStableFunc(inText, func(a, b finding) int { return a.line - b.line })
	for _, f := range inText {
		f.path = path
		found = append(found, f)
	}
	return found
}

func (s search) words(all []token) []finding {
	var found []finding
	for i, first := range all {
		for _, p := range s[first.text] {
			if p.begins(all[i:]) {
				found = append(found, finding{line: first.line, word: p.text, say: p.say})
			}
		}
	}
	return found
}

func (p phrase) begins(rest []token) bool {
	if len(rest) < len(p.words) || names[p.words[0].text] && !rest[0].whole {
		return false
	}
	for i, want := range p.words {
		got := rest[i]
		if got.text != want.text || i > 0 && (got.join == apart || want.join == inName && got.join != inName) {
			return false
		}
	}
	return true
}

// join describes the text between a word and the word before it.
type join int

const (
	apart  join = iota // punctuation
	spaced             // white space, or the end of a line in a comment
	inName             // nothing, a hyphen or an underscore
)

// token is a word of a text, or a part of a name.
type token struct {
	text  string // in lower case
	line  int
	join  join
	whole bool // neither letters, digits nor an underscore touch it
}

var (
	spaces  = regexp.MustCompile(`^[ \t]+$|^[ \t]*\n[ \t]*(//|#|>|\*)?[ \t]*$`)
	escapes = strings.NewReplacer(`\n`, "  ", `\r`, "  ", `\t`, "  ") // of the same length
)

// tokens splits a text into words, and names at each change of case: camelCase, JSONValue.
func tokens(text string) []token {
	runes := []rune(escapes.Replace(text))
	var all []token
	line, end := 1, 0
	for i := 0; i < len(runes); {
		if !unicode.IsLetter(runes[i]) {
			if runes[i] == '\n' {
				line++
			}
			i++
			continue
		}
		start := i
		for i++; i < len(runes) && unicode.IsLetter(runes[i]) && !splits(runes, i); i++ {
		}
		all = append(all, token{
			text: strings.ToLower(string(runes[start:i])), line: line, join: joinOf(string(runes[end:start])),
			whole: !touches(runes, start-1) && !touches(runes, i),
		})
		end = i
	}
	return all
}

// splits reports whether a new part of a name begins at i.
func splits(runes []rune, i int) bool {
	if !unicode.IsUpper(runes[i]) {
		return false
	}
	return unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

func touches(runes []rune, i int) bool {
	return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) || strings.ContainsRune("_+=%", runes[i]))
}

func joinOf(gap string) join {
	switch {
	case gap == "" || gap == "-" || gap == "_":
		return inName
	case spaces.MatchString(gap):
		return spaced
	}
	return apart
}
