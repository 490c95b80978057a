package customer

import (
	"slices"
	"strings"
)

// NamesVersion reports whether a requested etag names a version. A list with commas, from an If-Match header, names
// several. A proxy may weaken an ETag header, or add the coding of the response that it compressed, as in "…-gzip" (Apache),
// "…--gzip" (Jetty) and "…;gzip": the version stays the same.
func NamesVersion(requested, version string) bool {
	if version == "" {
		return false
	}
	for tag := range strings.SplitSeq(requested, ",") {
		tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
		if suffix, found := strings.CutPrefix(tag, version); found && isCodingSuffix(suffix) {
			return true
		}
	}
	return false
}

// isCodingSuffix reports whether a suffix is empty, or consists of content codings behind separators.
func isCodingSuffix(suffix string) bool {
	isSeparator := func(r rune) bool { return strings.ContainsRune("-;:.+_", r) }
	names := strings.FieldsFunc(strings.ToLower(suffix), isSeparator)
	if suffix == "" || len(names) == 0 || !isSeparator(rune(suffix[0])) {
		return suffix == ""
	}
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.Contains([]string{"gzip", "x", "br", "brotli", "deflate", "zstd", "compress", "identity"}, name) // x as in x-gzip
	})
}
