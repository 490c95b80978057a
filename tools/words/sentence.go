package main

import (
	"path"
	"regexp"
	"strings"
)

const saySubject = "the actor's name: a sentence does not begin with this word as its subject"

// block is a text of one or more sentences.
type block struct {
	text string
	line int // of its first word
}

var (
	// sentence matches one that begins with Who or What, up to its last word. A dot within a word, as in a file's name,
	// does not end it.
	sentence = regexp.MustCompile(`(?:^|[.!?]\s+)(Who|What)\s(?:[^.!?]|[.!?]\S)*`)
	trailing = regexp.MustCompile(`[ \t]// `)
	item     = regexp.MustCompile(`^(?:[-*+]|\d+[.)])\s+`)
)

// sentences returns a finding for each sentence that begins with Who or What and is not a question, in the comments of Go
// and proto files and in Markdown. In Markdown the sentence must also end with a full stop, because titles and the cells
// of tables may begin so.
func sentences(file, text string) []finding {
	var blocks []block
	markdown := false
	switch path.Ext(file) {
	case ".go", ".proto":
		blocks = comments(text)
	case ".md":
		blocks, markdown = paragraphs(text), true
	}
	var found []finding
	for _, b := range blocks {
		for _, at := range sentence.FindAllStringSubmatchIndex(b.text, -1) {
			end := b.text[at[1]:]
			if strings.HasPrefix(end, "?") || markdown && !strings.HasPrefix(end, ".") {
				continue
			}
			line := b.line + strings.Count(b.text[:at[2]], "\n")
			found = append(found, finding{line: line, word: b.text[at[2]:at[3]], say: saySubject})
		}
	}
	return found
}

// comments returns the paragraphs of the // comments.
func comments(text string) []block {
	var all []block
	open := false
	for i, line := range strings.Split(text, "\n") {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		switch at := trailing.FindStringIndex(line); {
		case ok && strings.TrimSpace(comment) != "":
			all, open = extend(all, open, strings.TrimSpace(comment), i+1), true
			continue
		case !ok && at != nil:
			all = append(all, block{line[at[1]:], i + 1})
		}
		open = false
	}
	return all
}

// paragraphs returns the paragraphs, list items and table cells outside of code.
func paragraphs(text string) []block {
	var all []block
	open, code := false, false
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(strings.TrimSpace(line), "> ")
		switch {
		case strings.HasPrefix(line, "```"):
			code, open = !code, false
		case code || line == "" || strings.HasPrefix(line, "#"):
			open = false
		case strings.HasPrefix(line, "|"):
			for cell := range strings.SplitSeq(line, "|") {
				all = append(all, block{strings.TrimSpace(cell), i + 1})
			}
			open = false
		default:
			mark := item.FindString(line)
			all, open = extend(all, open && mark == "", strings.TrimPrefix(line, mark), i+1), true
		}
	}
	return all
}

// extend adds a line to the last block if that is open, and else begins a new one.
func extend(all []block, open bool, line string, number int) []block {
	if !open {
		return append(all, block{line, number})
	}
	all[len(all)-1].text += "\n" + line
	return all
}
