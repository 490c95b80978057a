package fluentcart

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
)

// CodingError is the cause of a response that is complete, and whose body cannot be read because of its content coding.
type CodingError struct {
	// Coding is the name of the coding, from a fixed list, or a description of what is wrong with it.
	Coding string
}

// Error returns one line for the log.
func (e *CodingError) Error() string { return "the content coding of the response is " + e.Coding }

// otherCodings are the codings that are known and not read. Requests accept gzip only.
var otherCodings = []string{"br", "deflate", "zstd", "compress", "dcb", "dcz", "aws-chunked"}

// decoded returns the content of a body, given the values of its Content-Encoding. Some proxies label a body that they have
// not compressed, so a body that is text is returned as it is, whatever the label says.
func decoded(body []byte, values []string) ([]byte, error) {
	if len(values) == 0 || len(body) == 0 {
		return body, nil
	}
	var codings []string
	for _, coding := range strings.Split(strings.ToLower(strings.Join(values, ",")), ",") {
		if coding = strings.TrimPrefix(strings.TrimSpace(coding), "x-"); coding != "" && coding != "identity" {
			codings = append(codings, coding)
		}
	}
	switch {
	case len(codings) == 0, isText(body):
		return body, nil
	case len(codings) == 1 && codings[0] == "gzip":
		return gunzip(body)
	case len(codings) == 1 && slices.Contains(otherCodings, codings[0]):
		return nil, &CodingError{codings[0]}
	case len(codings) == 1:
		return nil, &CodingError{"one that is not known"}
	}
	return nil, &CodingError{"more than one (such as gzip, gzip)"}
}

// isText reports whether a body is JSON or HTML, and not compressed.
func isText(body []byte) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[' || text[0] == '<')
}

func gunzip(body []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, &CodingError{"gzip, and the body is not"}
	}
	content, err := io.ReadAll(io.LimitReader(reader, maxBody+1))
	switch {
	case err != nil:
		return nil, &CodingError{"gzip, and the body is damaged"}
	case bytes.HasPrefix(content, []byte{0x1f, 0x8b}):
		return nil, &CodingError{"gzip, done twice"}
	}
	return content, nil
}
