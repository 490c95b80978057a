package main

import (
	"net/url"
	"strings"
)

// packageURL returns the purl of a Go module, or of a package in it: https://github.com/package-url/purl-spec. A purl has
// the path in lower case. The version "(devel)" is left out: it means that the module was not built from a commit.
func packageURL(module, version, subpath string) string {
	purl := "pkg:golang/" + escape(strings.ToLower(module))
	if version != "" && version != "(devel)" {
		purl += "@" + url.QueryEscape(version)
	}
	if subpath = strings.Trim(subpath, "/"); subpath != "" {
		purl += "#" + escape(subpath)
	}
	return purl
}

// escape escapes a path except its slashes. QueryEscape serves because module paths and versions have no spaces.
func escape(path string) string {
	return strings.ReplaceAll(url.QueryEscape(path), "%2F", "/")
}
