package customer

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// etagBytes is how much of the hash an etag holds: 128 bits.
const etagBytes = 16

// etagLength is the length of an etag.
var etagLength = base64.RawURLEncoding.EncodedLen(etagBytes) //nolint:gochecknoglobals // a constant

// etag returns the version of a customer: a hash over the writable columns and the time of the last change. The time
// alone is not enough, because the store counts it in seconds. If the store has no usable time, the columns are all. The
// companion (deploy/wordpress) computes the same from the row, so that it can check an etag in the transaction of an update.
func etag(c *fluentcart.Customer) string {
	var content []byte
	for id, f := range fields {
		switch v := f.get(c); fieldID(id) {
		case fullName: // the first and the last name
		case userID:
			content = append(strconv.AppendInt(content, v.number, 10), '\n')
		default:
			content = append(strconv.AppendInt(content, int64(len(v.text)), 10), ':')
			content = append(append(content, v.text...), '\n')
		}
	}
	if !c.UpdatedAt.IsZero() {
		content = strconv.AppendInt(content, c.UpdatedAt.Unix(), 10)
	}
	hash := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(hash[:etagBytes])
}

// CheckEtag returns ETAG_MISMATCH if the requested etag is not the customer's. An empty one requires nothing.
func CheckEtag(requested string, stored *fluentcart.Customer) error {
	if requested == "" || NamesVersion(requested, etag(stored)) {
		return nil
	}
	return apierror.New(apierror.EtagMismatch, apierror.NotSent,
		"the customer was changed since this etag was read; read it again, and send the update with the new etag")
}

// versionsIn returns the versions that a requested etag names, as the companion compares them, or nil if it requires nothing.
func versionsIn(requested string) []string {
	if requested == "" {
		return nil
	}
	versions := []string{}
	for tag := range strings.SplitSeq(requested, ",") {
		version := bareTag(tag)
		if len(version) > etagLength && isCodingSuffix(version[etagLength:]) {
			version = version[:etagLength]
		}
		versions = append(versions, version)
	}
	return versions
}

// bareTag returns the opaque part of an entity tag.
func bareTag(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}

// NamesVersion reports whether a requested etag names a version. A list with commas, from an If-Match header, names
// several. A proxy may weaken an ETag header, or add the coding of the response that it compressed, as in "…-gzip" (Apache),
// "…--gzip" (Jetty) and "…;gzip": the version stays the same.
func NamesVersion(requested, version string) bool {
	if version == "" {
		return false
	}
	for tag := range strings.SplitSeq(requested, ",") {
		if suffix, found := strings.CutPrefix(bareTag(tag), version); found && isCodingSuffix(suffix) {
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
