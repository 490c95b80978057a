package redact

import (
	"encoding/base64"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value that is repeated may be written in another way: with HTML's entities, %-encoded for a URL, escaped for JSON, in
// base64, in other case, cut, or with other punctuation. So texts are compared by their words, after those escapes are
// taken away. A word is a run of letters and digits.

// maxLayers is how many escapes around each other are taken away.
const maxLayers = 4

// forms returns a text as it is, and without its escapes. Both are looked at: what looks like an escape may be none.
func forms(text string) []string {
	plain := text
	for range maxLayers {
		next := unescape(plain)
		if next == plain {
			break
		}
		plain = next
	}
	all := []string{text}
	if plain != text {
		all = append(all, plain)
	}
	return all
}

func unescape(text string) string {
	if strings.Contains(text, "&") {
		text = html.UnescapeString(text)
	}
	if strings.Contains(text, "%") {
		text = unescapePercents(text)
	}
	if strings.Contains(text, `\`) {
		text = unescapeBackslashes(text)
	}
	return text
}

func unescapePercents(text string) string {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+3 <= len(text) && isHex(text[i+1:i+3]) {
			out = append(out, byteOf(text[i+1:i+3]))
			i += 2
			continue
		}
		out = append(out, text[i])
	}
	return string(out)
}

func byteOf(digits string) byte {
	return digit(digits[0])<<4 | digit(digits[1]) // two hexadecimal ones
}

func digit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// unescapeBackslashes reads the escapes of JSON, PHP and Go: \uXXXX, \UXXXXXXXX, \xXX, and \n and its like as space.
func unescapeBackslashes(text string) string {
	var out []byte
	var high rune // the first half of a surrogate pair
	for i := 0; i < len(text); {
		size, digits := escapeAt(text[i:])
		if size == 0 {
			out = append(out, text[i])
			high, i = 0, i+1
			continue
		}
		escaped := text[i : i+size]
		i += size
		if digits == 0 {
			out = append(out, meaning(escaped[1]))
			high = 0
			continue
		}
		n, _ := strconv.ParseInt(escaped[2:], 16, 32) // they are digits; more than a rune can be is RuneError to utf8
		switch r := rune(n); {
		case digits == 2:
			out = append(out, byteOf(escaped[2:]))
		case r >= 0xD800 && r < 0xDC00:
			high = r
			continue
		case r >= 0xDC00 && r < 0xE000 && high != 0:
			out = utf8.AppendRune(out, (high-0xD800)<<10+(r-0xDC00)+0x10000)
		default:
			out = utf8.AppendRune(out, r)
		}
		high = 0
	}
	return string(out)
}

// escapeAt returns the size of the escape that a text begins with, and how many hexadecimal digits it has; 0 is none.
func escapeAt(text string) (size, digits int) {
	if len(text) < 2 || text[0] != '\\' {
		return 0, 0
	}
	switch text[1] {
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case 'x':
		digits = 2
	default:
		return 2, 0
	}
	if len(text) < 2+digits || !isHex(text[2:2+digits]) {
		return 2, 0
	}
	return 2 + digits, digits
}

func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// meaning is what stands for \n and the like.
func meaning(letter byte) byte {
	if strings.IndexByte("abfnrtv", letter) >= 0 {
		return ' '
	}
	return letter
}

// wordsOf returns the words of a text, in their own case.
func wordsOf(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !isLetter(r) })
}

// nextWord returns where in a text the next of wordsOf begins and ends; ok is false if there is none.
func nextWord(text string, from int) (start, end int, ok bool) {
	start = -1
	for i, r := range text[from:] {
		switch letter := isLetter(r); {
		case letter && start < 0:
			start = from + i
		case !letter && start >= 0:
			return start, from + i, true
		}
	}
	return start, len(text), start >= 0
}

// isLetter reports whether a rune is a part of a word. Accents may be runes of their own.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// folded makes texts that differ by case only the same.
func folded(text string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, text)
}

// decoded returns what the words of a text hold that are base64 of a text.
func decoded(text string) []string {
	var found []string
	for _, run := range encodedRun.FindAllString(text, -1) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(run, "="))
		if content, err := base64.RawStdEncoding.DecodeString(run); err == nil && utf8.Valid(content) {
			found = append(found, string(content))
		}
	}
	return found
}

// encodedRun is what may be base64 of four characters or more.
var encodedRun = regexp.MustCompile(`[A-Za-z0-9+/_-]{6,}={0,2}`)
