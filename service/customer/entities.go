package customer

import (
	"strconv"
	"strings"
)

// escapeHTML escapes a text as WordPress's esc_html does: < > & and both quotes become entities, and the entities that
// WordPress knows stay.
func escapeHTML(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		length := 1
		switch text[0] {
		case '<':
			out.WriteString("&lt;")
		case '>':
			out.WriteString("&gt;")
		case '"':
			out.WriteString("&quot;")
		case '\'':
			out.WriteString("&#039;")
		case '&':
			var escaped string
			escaped, length = escapeAmpersand(text)
			out.WriteString(escaped)
		default:
			out.WriteByte(text[0])
		}
		text = text[length:]
	}
	return out.String()
}

// escapeAmpersand returns what becomes of the & that the text begins with, and how much of the text that replaces: the
// entity if there is one, else the & alone. It differs from WordPress only where the removal of &#0; forms an entity.
func escapeAmpersand(text string) (escaped string, length int) {
	if rest, ok := strings.CutPrefix(text, "&amp;#"); ok { // WordPress decodes the & first, and then finds a number
		if escaped, length, ok := numberEntity(rest); ok {
			return escaped, length + len("&amp;#")
		}
	}
	if rest, ok := strings.CutPrefix(text, "&#"); ok {
		if escaped, length, ok := numberEntity(rest); ok {
			return escaped, length + len("&#")
		}
		return "&amp;", 1
	}
	end := 1
	for end < len(text) && isLetterOrDigit(text[end]) {
		end++
	}
	if end > 1 && end < len(text) && text[end] == ';' && strings.Contains(entityNames, " "+text[1:end]+" ") {
		return text[:end+1], end + 1
	}
	return "&amp;", 1
}

// numberEntity reads what stands behind &# and returns the whole entity as WordPress writes it, and the length of what it
// read.
func numberEntity(text string) (entity string, length int, ok bool) {
	base, most, prefix := 10, 7, "&#"
	digits := text
	if strings.HasPrefix(text, "x") || strings.HasPrefix(text, "X") {
		base, most, prefix, digits = 16, 6, "&#x", text[1:]
	}
	end := 0
	for end < len(digits) && (base == 16 && isHex(digits[end]) || isDigit(digits[end])) {
		end++
	}
	if end == 0 || end == len(digits) || digits[end] != ';' {
		return "", 0, false
	}
	length = len(text) - len(digits) + end + 1
	if digits[:end] == "0" {
		return "", length, true // WordPress drops &#0;, because PHP's empty() is true of "0"
	}
	digits = strings.TrimLeft(digits[:end], "0")
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil || len(digits) > most || !isXMLCharacter(code) {
		return "", 0, false
	}
	if base == 10 && len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	return prefix + digits + ";", length, true
}

// isXMLCharacter reports whether XML 1.0 has the character.
func isXMLCharacter(code uint64) bool {
	return code == '\t' || code == '\n' || code == '\r' || code >= 0x20 && code <= 0xd7ff || code >= 0xe000 && code <= 0xfffd || code >= 0x10000 && code <= 0x10ffff
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetterOrDigit(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// entityNames are the named entities of HTML 4, which are those that both WordPress and PHP know.
const entityNames = " " +
	"nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn acute micro " +
	"para middot cedil ordm raquo iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc " +
	"Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc " +
	"Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave " +
	"iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute " +
	"thorn yuml quot amp lt gt OElig oelig Scaron scaron Yuml circ tilde ensp emsp thinsp zwnj zwj lrm rlm ndash " +
	"mdash lsquo rsquo sbquo ldquo rdquo bdquo dagger Dagger permil lsaquo rsaquo euro fnof Alpha Beta Gamma " +
	"Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho Sigma Tau Upsilon Phi Chi Psi Omega " +
	"alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau " +
	"upsilon phi chi psi omega thetasym upsih piv bull hellip prime Prime oline frasl weierp image real trade " +
	"alefsym larr uarr rarr darr harr crarr lArr uArr rArr dArr hArr forall part exist empty nabla isin notin ni " +
	"prod sum minus lowast radic prop infin ang and or cap cup int sim cong asymp ne equiv le ge sub sup nsub " +
	"sube supe oplus otimes perp sdot lceil rceil lfloor rfloor lang rang loz spades clubs hearts diams sup1 " +
	"sup2 sup3 frac14 frac12 frac34 there4 "
