package fluentcart

import (
	"bytes"
	"errors"
	"io"
	"iter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readFactor bounds the work of finding the JSON objects in a response: at most so many times the bytes of the response
// are read. Text that is no JSON is given up at its first wrong byte, so only a hostile response reaches the bound.
const readFactor = 4

// attemptCost is how many bytes an attempt to read an object counts besides those that it reads.
const attemptCost = 64

// objects returns the JSON objects in the body of a response, in their order, without those that lie within another one.
// PHP and plug-ins print warnings, scripts and style sheets in front of the response or behind it (F20), and these may
// hold braces and objects of their own.
func objects(body []byte) iter.Seq[jsontext.Value] {
	return func(yield func(jsontext.Value) bool) {
		budget := readFactor*len(body) + attemptCost
		for in := jsontext.NewDecoder(bytes.NewReader(nil)); budget > 0; budget -= attemptCost {
			start := nextObject(body)
			if start < 0 {
				return
			}
			body = body[start:]
			in.Reset(bytes.NewBuffer(body), tolerant)
			object, err := in.ReadValue()
			if err != nil {
				budget -= bytesRead(err, body)
				body = body[1:]
				continue
			}
			if !yield(object) {
				return
			}
			budget -= len(object)
			body = body[len(object):]
		}
	}
}

// nextObject returns the position of the next { that may begin an object, because a " or a } follows it, or -1.
func nextObject(body []byte) int {
	for from := 0; ; from++ {
		brace := bytes.IndexByte(body[from:], '{')
		if brace < 0 {
			return -1
		}
		from += brace
		if rest := bytes.TrimLeft(body[from+1:], " \t\r\n"); len(rest) > 0 && (rest[0] == '"' || rest[0] == '}') {
			return from
		}
	}
}

// bytesRead returns how far the decoder has read before it failed.
func bytesRead(err error, body []byte) int {
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, io.ErrUnexpectedEOF) {
		return int(wrong.ByteOffset)
	}
	return len(body)
}

// findJSON returns the last object that accept accepts, and how many it accepts. The last one counts because a plug-in
// prints its texts before the response of the store. A T must accept any JSON in its members.
func findJSON[T any](body []byte, accept func(T) bool) (found T, count int) {
	for object := range objects(body) {
		var value T
		if json.Unmarshal(object, &value, tolerant) == nil && accept(value) {
			found = value
			count++
		}
	}
	return found, count
}
