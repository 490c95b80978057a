package sandbox

import "strings"

// stripTags does what PHP's strip_tags does. It is not a parser of HTML: a "<" before a space opens no tag, a ">" in quotes
// closes none, a quote that is not closed takes the rest of the text, and <? and <!-- have ends of their own.
func stripTags(s string) string {
	st := tagStripper{text: s}
	for st.at < len(s) {
		st.step(s[st.at])
		st.at++
	}
	return st.out.String()
}

// tagStripper is the state of strip_tags before one byte of the text.
type tagStripper struct {
	text string
	at   int
	out  strings.Builder

	in    markup
	quote byte // the quote that is open, or 0
	depth int  // tags opened inside of a tag
	isXML bool // the tag is <?xml, which "->" does not close

	// Of a PHP block:
	parens int
	last   byte // the last parenthesis, or the quote that is open
}

// markup is what a byte belongs to.
type markup int

const (
	plainText markup = iota
	htmlTag
	phpBlock
	declaration
	comment
)

func (st *tagStripper) step(c byte) {
	switch st.in {
	case plainText:
		st.inText(c)
	case htmlTag:
		st.inTag(c)
	case phpBlock:
		st.inPHP(c)
	case declaration:
		st.inDeclaration(c)
	case comment:
		if c == '>' && st.quote == 0 && st.before("--") {
			st.in = plainText
		}
	}
}

func (st *tagStripper) inText(c byte) {
	switch {
	case c == 0:
	case c == '<' && !st.isBeforeSpace():
		st.in, st.last = htmlTag, '<'
	default:
		st.out.WriteByte(c)
	}
}

func (st *tagStripper) inTag(c byte) {
	switch c {
	case '<':
		if st.quote == 0 && !st.isBeforeSpace() {
			st.depth++
		}
	case '>':
		if st.depth > 0 || !st.isXML || !st.before("-") {
			st.closeTag()
		}
	case '"', '\'':
		st.toggleQuote(c)
	case '!':
		if st.before("<") {
			st.in, st.last = declaration, c
		}
	case '?':
		if st.before("<") {
			st.in, st.parens = phpBlock, 0
		}
	}
}

func (st *tagStripper) inPHP(c byte) {
	switch c {
	case '(':
		if st.last != '"' && st.last != '\'' {
			st.last = c
			st.parens++
		}
	case ')':
		if st.last != '"' && st.last != '\'' {
			st.last = c
			st.parens--
		}
	case '>':
		switch {
		case st.depth > 0:
			st.depth--
		case st.quote == 0 && st.parens == 0 && st.last != '"' && st.before("?"):
			st.in = plainText
		}
	case '"', '\'':
		if st.before(`\`) {
			return
		}
		if st.last == c {
			st.last = 0
		} else if st.last != '\\' {
			st.last = c
		}
		st.toggleQuote(c)
	case 'l', 'L':
		if st.beforeFold("<?xm") && st.at > len("<?xm") { // PHP does not see it at the start of a text
			st.in, st.isXML = htmlTag, true
		}
	}
}

func (st *tagStripper) inDeclaration(c byte) {
	switch c {
	case '>':
		st.closeTag()
	case '"', '\'':
		if !st.before(`\`) {
			st.toggleQuote(c)
		}
	case '-':
		if st.before("!-") {
			st.in = comment
		}
	case 'e', 'E':
		if st.beforeFold("<!doctyp") {
			st.in = htmlTag
		}
	}
}

func (st *tagStripper) closeTag() {
	switch {
	case st.depth > 0:
		st.depth--
	case st.quote == 0:
		st.in, st.isXML = plainText, false
	}
}

func (st *tagStripper) toggleQuote(c byte) {
	switch st.quote {
	case 0:
		st.quote = c
	case c:
		st.quote = 0
	}
}

func (st *tagStripper) isBeforeSpace() bool {
	return st.at+1 < len(st.text) && strings.IndexByte(" \t\n\v\f\r", st.text[st.at+1]) >= 0
}

// before reports whether s stands before the byte.
func (st *tagStripper) before(s string) bool {
	return strings.HasSuffix(st.text[:st.at], s)
}

func (st *tagStripper) beforeFold(s string) bool {
	return st.at >= len(s) && strings.EqualFold(st.text[st.at-len(s):st.at], s)
}
