package main

import (
	"net/url"
	"strings"
)

// packageURL is the purl of a Go module, or of a package in it: https://github.com/package-url/purl-spec. The path is in
// lower case there. A module that was not built from a commit is "(devel)", which is no version.
func packageURL(module, version, inside string) string {
	purl := "pkg:golang/" + escape(strings.ToLower(module))
	if version != "" && version != "(devel)" {
		purl += "@" + url.QueryEscape(version)
	}
	if inside = strings.Trim(inside, "/"); inside != "" {
		purl += "#" + escape(inside)
	}
	return purl
}

// escape leaves the slashes. Neither paths nor versions of modules have spaces.
func escape(path string) string {
	return strings.ReplaceAll(url.QueryEscape(path), "%2F", "/")
}
