package httpjson

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The beginnings of bodies that are not meant as JSON, or not sent as JSON is.
var (
	byteOrderMark = []byte("\ufeff")
	formBody      = regexp.MustCompile(`^[\w.%\[\]-]+=|^--[\w'-]+\r?\n`) // also multipart
)

// syntaxError says where a body stops being JSON, and what is expected there. jsontext's own text would repeat a part of the
// body. nameEnd is where the latest name of a member ends, if its value was not read.
func syntaxError(content []byte, nameEnd int64, err error) error {
	switch start := bytes.TrimLeft(content, " \t\r\n"); {
	case bytes.HasPrefix(content, byteOrderMark):
		return errors.New("must not begin with a byte order mark (the bytes EF BB BF); send the JSON alone")
	case formBody.Match(start):
		return fmt.Errorf("%w, and not a form", errNotObject)
	case len(start) > 0 && start[0] != '{':
		return errNotObject
	}
	broken, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok || broken.ByteOffset > int64(len(content)) {
		return errNotObject
	}
	return fmt.Errorf("is not JSON %s: %s", position(content, broken.ByteOffset), expected(content, nameEnd, broken.ByteOffset))
}

// expected says what is expected at an offset, by the characters around it.
func expected(content []byte, nameEnd, offset int64) string {
	before, rest := bytes.TrimRight(content[:offset], " \t\r\n"), content[offset:]
	if len(rest) == 0 {
		return "it ends before its object is closed by }"
	}
	last := before[len(before)-1] // there is at least the { of the object
	switch next, _ := utf8.DecodeRune(rest); {
	case next < ' ':
		return `a control character, such as a line break or a tab, must be written as \n, \t or \u0000 in a text`
	case next == '\\':
		return `this is not an escape of JSON; a backslash in a text is written as \\`
	case next == '\'' || next == '`' || next >= '‘' && next <= '‟' || next == '«' || next == '»':
		return `names and texts have straight double quotes (") around them`
	case next == '/' || next == '#':
		return "there are no comments in JSON"
	case next == ',' || last == ',' && (next == '}' || next == ']'):
		return "a comma is expected only between two members, and not after the last one"
	case (next == '{' || next == '[') && (last == ':' || last == '['): // it would begin a value
		return "it is nested too deep"
	case nameEnd == int64(len(before)):
		return "a colon is expected between a name and its value"
	case last == '{' || last == ',':
		return "a name in double quotes is expected"
	case last == '0' && next >= '0' && next <= '9':
		return "a number must not begin with 0; a text has double quotes around it"
	case last == '"' || last == '}' || last == ']' || last >= '0' && last <= '9':
		return "a comma or a closing bracket is expected after a value"
	}
	return "a value is expected: a text in double quotes, a number, true, false or null"
}

// position returns an offset as an editor shows it, and as a program counts it.
func position(content []byte, offset int64) string {
	before := content[:offset]
	line := bytes.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("at line %d, column %d (byte offset %d)", bytes.Count(before, []byte{'\n'})+1, utf8.RuneCount(before[line:])+1, offset)
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8.
func invalidUTF8(content []byte) int64 {
	offset := 0
	for offset < len(content) {
		r, size := utf8.DecodeRune(content[offset:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		offset += size
	}
	return int64(offset)
}
