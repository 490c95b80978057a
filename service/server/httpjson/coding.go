package httpjson

import (
	"slices"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// codingProblem returns what is wrong with a Content-Encoding, or nothing. A compressed body is not accepted: a short one
// could expand to a long one.
func codingProblem(header string) string {
	for element := range strings.SplitSeq(header, ",") {
		coding := strings.ToLower(strings.Trim(element, " \t"))
		charset := strings.Trim(strings.TrimPrefix(coding, "charset="), `"`)
		switch {
		case coding == "" || coding == "identity":
		case slices.Contains([]string{"gzip", "x-gzip", "br", "deflate", "zstd", "compress", "x-compress", "dcb", "dcz"}, coding):
			return "must be absent or identity: the body is compressed with " + strings.TrimPrefix(coding, "x-") + ", and the gateway accepts uncompressed bodies only"
		case strings.HasPrefix(charset, "utf") || strings.HasPrefix(charset, "iso-8859-") || strings.HasPrefix(charset, "windows-") ||
			slices.Contains([]string{"ascii", "us-ascii", "latin1", "latin-1"}, charset):
			return "must be absent: " + apierror.QuoteName(charset) + " is a charset, not a compression; a charset belongs to Content-Type, as in application/json; charset=utf-8"
		case strings.Contains(coding, "/"):
			return "must be absent: a media type belongs to Content-Type, as in application/json"
		case coding == "chunked":
			return "must be absent: chunked belongs to Transfer-Encoding"
		default:
			return "must be absent or identity: " + apierror.QuoteName(coding) + " is not a coding that the gateway knows, and it accepts uncompressed bodies only"
		}
	}
	return ""
}
