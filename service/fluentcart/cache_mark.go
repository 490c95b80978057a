package fluentcart

import (
	"net/http"
	"strings"
)

// otherCacheHeaders are the headers, in canonical form, in which caches say by a word where a response comes from, and whose
// name does not have "cache" in it.
var otherCacheHeaders = [...]string{"X-Ac", "X-Nananana"}

// maxMark bounds the name of a header, in bytes.
const maxMark = 40

// saysWhence reports whether a header with such a name may say by a word where a response comes from. Each host and plug-in
// has a name of its own, so all with "cache" in them count, except those that are about something else: X-Cache-Lookup says
// what a cache holds also if the response is the store's, and an object cache is one inside WordPress that each write updates.
// Cache-Status has a syntax of its own. The name is shown to the caller, so its length is bounded.
func saysWhence(name string) bool {
	if len(name) > maxMark || !strings.Contains(name, "ache") || strings.Contains(name, "Object") || name == "Cache-Status" {
		return false
	}
	switch name[strings.LastIndexByte(name, '-')+1:] {
	case "Control", "Lookup", "Tag", "Tags", "Key", "Keys", "Vary":
		return false
	}
	return true
}

// cacheMark returns the name of a header that says that the response comes from a cache, or an empty text. A header that is
// there and says otherwise, such as Age: 0 or X-Cache: MISS, is no mark.
func cacheMark(header http.Header) string {
	if anyValue(header["Age"], isPositive) {
		return "Age"
	}
	if anyValue(header["Cache-Status"], hasHitParameter) {
		return "Cache-Status"
	}
	if anyValue(header["X-Varnish"], hasTwoNumbers) {
		return "X-Varnish"
	}
	if anyValue(header["X-Cache-Hits"], isPositive) {
		return "X-Cache-Hits"
	}
	for _, name := range otherCacheHeaders {
		if anyValue(header[name], saysHit) {
			return name
		}
	}
	mark := ""
	for name, values := range header {
		if saysWhence(name) && anyValue(values, saysHit) && (mark == "" || name < mark) {
			mark = name
		}
	}
	return mark
}

// anyValue reports whether a member of one of the header's lists is a mark. Each cache on the way adds one: if any of them
// had the response, the response is not the store's.
func anyValue(values []string, isMark func(string) bool) bool {
	for _, value := range values {
		for member := range strings.SplitSeq(withoutQuoted(value), ",") {
			if isMark(strings.TrimSpace(member)) {
				return true
			}
		}
	}
	return false
}

// withoutQuoted removes quoted texts, which may hold any words.
func withoutQuoted(value string) string {
	if strings.IndexByte(value, '"') < 0 {
		return value
	}
	var rest strings.Builder
	quoted := false
	for i := 0; i < len(value); i++ {
		switch {
		case quoted && value[i] == '\\':
			i++
		case value[i] == '"':
			quoted = !quoted
		case !quoted:
			rest.WriteByte(value[i])
		}
	}
	return rest.String()
}

// isPositive reports whether the text is a number above 0, of any length.
func isPositive(number string) bool {
	return strings.Trim(number, "0123456789") == "" && strings.Trim(number, "0") != ""
}

// hasTwoNumbers reports whether Varnish shows two transactions: this one, and the one that stored the response.
func hasTwoNumbers(value string) bool {
	words := strings.Fields(value)
	return len(words) == 2 && isPositive(words[0]) && isPositive(words[1])
}

// hasHitParameter reads a member of Cache-Status (RFC 9211), such as `ExampleCache; hit; ttl=30`. Some caches send a word
// only, as in X-Cache.
func hasHitParameter(member string) bool {
	cache, parameters, _ := strings.Cut(member, ";")
	if parameters == "" {
		return saysHit(cache)
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		switch strings.ToLower(strings.TrimSpace(parameter)) {
		case "hit", "hit=?1":
			return true
		}
	}
	return false
}

// saysHit reports whether the words say that a cache had the response: "HIT", "TCP_MEM_HIT", "Hit from cloudfront",
// "served-cache". A "hit for pass" is one that the cache has passed on. The name of the cache follows "from".
func saysHit(words string) bool {
	words, _, _ = strings.Cut(strings.ToLower(words), " from ")
	hit := false
	for word := range strings.FieldsFuncSeq(words, func(r rune) bool { return r < 'a' || r > 'z' }) {
		switch word {
		case "hit", "hits", "stale", "revalidated", "updating", "refreshhit", "memhit", "fresh", "served", "cached":
			hit = true
		case "for", "miss", "pass", "bypass", "dynamic", "expired", "not", "no", "none", "uncacheable", "while", "if":
			return false
		}
	}
	return hit
}
