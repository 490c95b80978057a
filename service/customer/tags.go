package customer

import "strings"

// withoutTags removes tags as PHP's strip_tags does: also comments, declarations and PHP code. A < before white space
// begins none. A quote inside a tag hides every > up to the next such quote, so a tag with one quote too many reaches to
// the end of the text. NUL bytes go too.
func withoutTags(text string) string {
	t := tagStripper{text: text, kept: make([]byte, 0, len(text))}
	for t.at = range len(text) {
		t.step()
	}
	return string(t.kept)
}

// tagStripper is PHP's state machine.
type tagStripper struct {
	text  string
	at    int
	kept  []byte
	state tagState

	quote  byte // the open quote, or 0
	depth  int  // how many further < are open in a tag
	parens int  // open parentheses of PHP code
	last   byte // the last quote or parenthesis of PHP code
	isXML  bool // the tag began with <?xml
}

// tagState is what the next byte is part of.
type tagState int

const (
	outside tagState = iota
	inTag
	inPHP
	inDeclaration
	inComment
)

// step reads the current byte.
func (t *tagStripper) step() {
	switch t.state {
	case outside:
		t.outside()
	case inTag:
		t.tag()
	case inPHP:
		t.php()
	case inDeclaration:
		t.declaration()
	case inComment:
		if t.text[t.at] == '>' && t.quote == 0 && t.follows("--") {
			t.leave()
		}
	}
}

func (t *tagStripper) outside() {
	switch c := t.text[t.at]; {
	case c == '<' && !t.beforeSpace():
		t.state = inTag
	case c != 0:
		t.kept = append(t.kept, c)
	}
}

func (t *tagStripper) tag() {
	switch c := t.text[t.at]; c {
	case '<':
		if t.quote == 0 && !t.beforeSpace() {
			t.depth++
		}
	case '>':
		if t.closes() && (!t.isXML || !t.follows("-")) {
			t.leave()
		}
	case '"', '\'':
		t.toggleQuote(c)
	case '!':
		if t.follows("<") {
			t.state, t.last = inDeclaration, c
		}
	case '?':
		if t.follows("<") {
			t.state, t.parens = inPHP, 0
		}
	}
}

func (t *tagStripper) php() {
	switch c := t.text[t.at]; c {
	case '(', ')':
		if t.last == '"' || t.last == '\'' {
			return
		}
		t.last = c
		t.parens++
		if c == ')' {
			t.parens -= 2
		}
	case '>':
		if t.closes() && t.parens == 0 && t.last != '"' && t.follows("?") {
			t.leave()
		}
	case '"', '\'':
		if t.follows("\\") {
			return
		}
		switch t.last {
		case c:
			t.last = 0
		case '\\':
		default:
			t.last = c
		}
		t.toggleQuote(c)
	case 'l', 'L':
		if t.at > len("<?xm") && t.follows("<?xm") { // at the very start of the text PHP overlooks it
			t.state, t.isXML = inTag, true
		}
	}
}

func (t *tagStripper) declaration() {
	switch c := t.text[t.at]; c {
	case '>':
		if t.closes() {
			t.leave()
		}
	case '"', '\'':
		if !t.follows("\\") {
			t.toggleQuote(c)
		}
	case '-':
		if t.follows("!-") {
			t.state = inComment
		}
	case 'e', 'E':
		if t.follows("<!doctyp") {
			t.state = inTag
		}
	}
}

// leave ends the tag.
func (t *tagStripper) leave() { t.state, t.quote, t.isXML = outside, 0, false }

// closes reports whether a > closes the outermost tag.
func (t *tagStripper) closes() bool {
	if t.depth > 0 {
		t.depth--
		return false
	}
	return t.quote == 0
}

func (t *tagStripper) toggleQuote(c byte) {
	switch t.quote {
	case 0:
		t.quote = c
	case c:
		t.quote = 0
	}
}

// follows reports whether a text stands in front of the current byte, ignoring case.
func (t *tagStripper) follows(before string) bool {
	from := t.at - len(before)
	return from >= 0 && strings.EqualFold(t.text[from:t.at], before)
}

func (t *tagStripper) beforeSpace() bool {
	return t.at+1 < len(t.text) && strings.IndexByte(" \t\n\v\f\r", t.text[t.at+1]) >= 0
}
