package httpjson

import (
	"slices"
	"strings"
)

// The names that are recognized in a Content-Encoding. Only these are repeated in an error: any other text may be personal
// data.
var (
	compressions = []string{"gzip", "x-gzip", "br", "deflate", "zstd", "compress", "x-compress", "dcb", "dcz"}
	charsets     = []string{
		"utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "utf-32", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin1", "windows-1252",
	}
)

// codingProblem returns what is wrong with a Content-Encoding, or nothing. A compressed body is not accepted: a short one
// could expand to a long one.
func codingProblem(header string) string {
	for element := range strings.SplitSeq(header, ",") {
		coding := strings.ToLower(strings.Trim(element, " \t"))
		charset := strings.Trim(strings.TrimPrefix(coding, "charset="), `"`)
		switch {
		case coding == "" || coding == "identity":
		case slices.Contains(compressions, coding):
			return "must be absent or identity: the body is compressed with " + strings.TrimPrefix(coding, "x-") + ", and the gateway accepts uncompressed bodies only"
		case slices.Contains(charsets, charset):
			return "must be absent: " + charset + " is a charset, not a compression; a charset belongs to Content-Type, as in application/json; charset=utf-8"
		case strings.Contains(coding, "/"):
			return "must be absent: a media type belongs to Content-Type, as in application/json"
		case coding == "chunked":
			return "must be absent: chunked belongs to Transfer-Encoding"
		default:
			return "must be absent or identity: it names no coding that the gateway knows, and the gateway accepts uncompressed bodies only"
		}
	}
	return ""
}
