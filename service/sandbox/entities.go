package sandbox

import (
	"regexp"
	"strconv"
	"strings"
)

// namedEntities are the entities of HTML 4.01, each with a space behind it. WordPress and PHP know no others.
const namedEntities = " " + "Aacute aacute Acirc acirc acute AElig aelig Agrave agrave alefsym Alpha alpha amp and ang Aring aring asymp Atilde " +
	"atilde Auml auml bdquo Beta beta brvbar bull cap Ccedil ccedil cedil cent Chi chi circ clubs cong copy crarr cup " +
	"curren Dagger dagger dArr darr deg Delta delta diams divide Eacute eacute Ecirc ecirc Egrave egrave empty emsp ensp " +
	"Epsilon epsilon equiv Eta eta ETH eth Euml euml euro exist fnof forall frac12 frac14 frac34 frasl Gamma gamma ge gt " +
	"hArr harr hearts hellip Iacute iacute Icirc icirc iexcl Igrave igrave image infin int Iota iota iquest isin Iuml iuml " +
	"Kappa kappa Lambda lambda lang laquo lArr larr lceil ldquo le lfloor lowast loz lrm lsaquo lsquo lt macr mdash micro " +
	"middot minus Mu mu nabla nbsp ndash ne ni not notin nsub Ntilde ntilde Nu nu Oacute oacute Ocirc ocirc OElig oelig " +
	"Ograve ograve oline Omega omega Omicron omicron oplus or ordf ordm Oslash oslash Otilde otilde otimes Ouml ouml para " +
	"part permil perp Phi phi Pi pi piv plusmn pound Prime prime prod prop Psi psi quot radic rang raquo rArr rarr rceil " +
	"rdquo real reg rfloor Rho rho rlm rsaquo rsquo sbquo Scaron scaron sdot sect shy Sigma sigma sigmaf sim spades sub " +
	"sube sum sup sup1 sup2 sup3 supe szlig Tau tau there4 Theta theta thetasym thinsp THORN thorn tilde times trade Uacute " +
	"uacute uArr uarr Ucirc ucirc Ugrave ugrave uml upsih Upsilon upsilon Uuml uuml weierp Xi xi Yacute yacute yen Yuml " +
	"yuml Zeta zeta zwj zwnj "

var entity = regexp.MustCompile(`&(?:([A-Za-z]{2,8}[0-9]{0,2})|#(0*[0-9]{1,7})|#[Xx](0*[0-9A-Fa-f]{1,6}));`)

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;")

// escapeHTML does what WordPress's esc_html does: it escapes &, <, >, " and ', but keeps the entities that it knows.
func escapeHTML(s string) string {
	var b strings.Builder
	for {
		m := entity.FindStringSubmatchIndex(s)
		if m == nil {
			b.WriteString(htmlEscaper.Replace(s))
			return b.String()
		}
		b.WriteString(htmlEscaper.Replace(s[:m[0]]))
		switch text := s[m[0]:m[1]]; {
		case m[2] >= 0:
			if strings.Contains(namedEntities, " "+s[m[2]:m[3]]+" ") {
				b.WriteString(text)
			} else {
				b.WriteString(htmlEscaper.Replace(text))
			}
		case m[4] >= 0:
			b.WriteString(numericEntity("#", s[m[4]:m[5]], 10))
		default:
			b.WriteString(numericEntity("#x", s[m[6]:m[7]], 16))
		}
		s = s[m[1]:]
	}
}

// numericEntity returns the form that WordPress gives a numeric entity: without leading zeros, but with three decimal digits
// at least. A lone 0 is removed.
func numericEntity(prefix, digits string, base int) string {
	if digits == "0" {
		return ""
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isXMLChar(n) {
		return "&amp;" + prefix + digits + ";"
	}
	digits = strings.TrimLeft(digits, "0")
	if base == 10 && len(digits) < 3 {
		digits = strings.Repeat("0", 3-len(digits)) + digits
	}
	return "&" + prefix + digits + ";"
}

// isXMLChar is WordPress's valid_unicode.
func isXMLChar(n uint64) bool {
	return n == '\t' || n == '\n' || n == '\r' || 0x20 <= n && n <= 0xd7ff || 0xe000 <= n && n <= 0xfffd || 0x10000 <= n && n <= 0x10ffff
}
