package fluentcart

import (
	"net/http"
	"strings"
)

// otherCacheHeaders are headers of caches, in canonical form, that isCacheHeader does not recognize by their names.
var otherCacheHeaders = [...]string{"X-Ac", "X-Nananana"}

// maxCacheHeader is the length of the longest header name that a CacheError shows, in bytes.
const maxCacheHeader = 40

// isCacheHeader reports whether a header of this name may say, with a word such as HIT, that the response comes from a cache
// (F29). Each host and plug-in uses a name of its own, so all names with "cache" in them count, except those with another
// meaning: X-Cache-Lookup says what a cache holds even if the response is the store's, and an object cache is one inside
// WordPress, which each write updates. Cache-Status has a syntax of its own.
func isCacheHeader(name string) bool {
	if len(name) > maxCacheHeader || !strings.Contains(name, "ache") || strings.Contains(name, "Object") || name == "Cache-Status" {
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
		if anyValue(header[name], isHit) {
			return name
		}
	}
	mark := ""
	for name, values := range header {
		if isCacheHeader(name) && anyValue(values, isHit) && (mark == "" || name < mark) {
			mark = name
		}
	}
	return mark
}

// anyValue reports whether isMark accepts a member of the header's comma-separated lists. Each cache on the way adds a
// member: if any of them had the response, the response is not the store's.
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

// hasHitParameter reports whether a member of Cache-Status (RFC 9211), such as `ExampleCache; hit; ttl=30`, says hit. Some
// caches send a word only, as in X-Cache.
func hasHitParameter(member string) bool {
	cache, parameters, _ := strings.Cut(member, ";")
	if parameters == "" {
		return isHit(cache)
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		switch strings.ToLower(strings.TrimSpace(parameter)) {
		case "hit", "hit=?1":
			return true
		}
	}
	return false
}

// isHit reports whether the words say that a cache had the response: "HIT", "TCP_MEM_HIT", "Hit from cloudfront",
// "served-cache". After a "hit for pass" the cache has asked the store. The word "from" precedes the name of the cache.
func isHit(words string) bool {
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
