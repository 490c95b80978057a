package main

import (
	"path"
	"regexp"
	"strings"
	"unicode"
)

// finding is one use of a retired word. Its line is 0 if the word is in the path.
type finding struct {
	word, say string
	line      int
}

// search finds the retired phrases in a normalised text.
type search struct {
	expression *regexp.Regexp
	phrases    map[string]finding // by their words, with a space between them
}

func newSearch() search {
	joins := strings.NewReplacer(" ", `(?:[-_]|[ \t]+|[ \t]*\n)`, "-", `[-_]`)
	phrases, parts, whole := map[string]finding{}, []string{}, []string{}
	for _, row := range retired {
		for _, phrase := range row.phrases {
			phrases[strings.ReplaceAll(phrase, "-", " ")] = finding{word: phrase, say: row.say}
			if names[phrase] {
				whole = append(whole, phrase)
			} else {
				parts = append(parts, joins.Replace(phrase))
			}
		}
	}
	return search{regexp.MustCompile(`(?:^|[^a-z])(?:` + strings.Join(parts, "|") + `)(?:[^a-z]|$)` +
		`|(?:^|[^\w+=%])(?:` + strings.Join(whole, "|") + `)(?:[^\w+=%]|$)`), phrases}
}

// file returns the findings in a file's path and text.
func (s search) file(file, text string) []finding {
	found := sentences(path.Ext(file), text)
	text = normalise(file + "\n" + text)
	for _, at := range s.expression.FindAllStringIndex(text, -1) {
		words := strings.FieldsFunc(text[at[0]:at[1]], func(r rune) bool { return !unicode.IsLetter(r) })
		f := s.phrases[strings.Join(words, " ")]
		f.line = strings.Count(text[:at[0]+1], "\n") // the match includes the character before the word
		found = append(found, f)
	}
	return found
}

var (
	escapes   = strings.NewReplacer(`\n`, " ", `\r`, " ", `\t`, " ")
	lineStart = regexp.MustCompile(`(?m)^[ \t]*(//|#|>|\*)?[ \t]*`)
	camelCase = regexp.MustCompile(`(\p{Ll})(\p{Lu})`)
	acronym   = regexp.MustCompile(`(\p{Lu})(\p{Lu}\p{Ll})`) // JSONValue
)

// normalise returns the lines of a text in lower case, with names in snake_case and without comment markers.
func normalise(text string) string {
	text = lineStart.ReplaceAllString(escapes.Replace(text), "")
	return strings.ToLower(acronym.ReplaceAllString(camelCase.ReplaceAllString(text, "${1}_$2"), "${1}_$2"))
}

var (
	comment = regexp.MustCompile(`(?m)^(?:.*?[ \t])??// (.*)$|^.*$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
	// sentence matches one that begins with Who or What, at the beginning of a line, an item of a list or a cell of a
	// table too, up to its last word. A dot within a word, as in a file's name, does not end it.
	sentence = regexp.MustCompile(`(?m)(?:^[> \t]*(?:[-*+] |\d+[.)] )?|\| |[.!?]\s+)(Who|What)\s(?:[^.!?|\n]|[.!?]\S|\n[ \t]*[^\s|#>-])*`)
)

// sentences returns a finding for each sentence that begins with Who or What and is not a question, in the comments of Go
// and proto files and in Markdown. In Markdown the sentence must also end with a full stop, because titles and the cells
// of tables may begin so.
func sentences(kind, text string) []finding {
	switch kind {
	case ".go", ".proto":
		text = comment.ReplaceAllString(text, "$1")
	case ".md":
		text = fenced.ReplaceAllStringFunc(text, func(code string) string { return strings.Repeat("\n", strings.Count(code, "\n")) })
	default:
		return nil
	}
	var found []finding
	for _, at := range sentence.FindAllStringSubmatchIndex(text, -1) {
		if end := text[at[1]:]; strings.HasPrefix(end, ".") || kind != ".md" && !strings.HasPrefix(end, "?") {
			found = append(found, finding{
				text[at[2]:at[3]], "the actor's name: a sentence does not begin with this word as its subject",
				1 + strings.Count(text[:at[2]], "\n"),
			})
		}
	}
	return found
}
