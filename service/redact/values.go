package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	// fullLength is from how many characters on a word is found inside of others too, and in any case. A shorter one,
	// such as Bo, DE or OR, would be found in half of all sentences: it counts as a word of its own and in its own case.
	// A single character says nothing of anybody.
	fullLength = 4
	// fewWords is how many words a name, an address or a place has. Each of them alone says something; of a longer text
	// it takes a run of runWords, or else every sentence has a word of it.
	fewWords = 8
	runWords = 3
	// runLength is how many characters such a run has at the least; "is not a" is in many texts.
	runLength = 12
	// numberLength is from how many digits on a word of a longer text counts alone: it may be a telephone number.
	numberLength = 5
	// runUnspaced is how many characters in a row count in a longer text of a script that has no spaces.
	runUnspaced = 6
)

// Values are the personal values of messages, to be looked for in texts of others. It is made where a text came that may
// have some, which is not on the usual way of a call.
type Values struct {
	needles []needle
}

// needle is what may not be in a text.
type needle struct {
	text  string
	short bool // found as a word of its own only, and in its own case
}

// ValuesOf returns the texts of the fields that are marked with debug_redact, in the messages and all that is in them.
// The words of the contract itself, such as customer or email, are never among them: a message that says
// "customer not found" tells nothing of one whose e-mail address begins with customer.
func ValuesOf(messages ...proto.Message) *Values {
	c := collector{own: map[string]bool{}, known: map[protoreflect.FullName]bool{}, seen: map[needle]bool{}}
	for _, message := range messages {
		c.ownWords(message.ProtoReflect().Descriptor())
	}
	for _, message := range messages {
		c.message(message.ProtoReflect(), false)
	}
	return &Values{c.needles}
}

// In reports whether a text has one of the values, or a part of one, however it is escaped.
func (v *Values) In(text string) bool {
	candidates := forms(text)
	for _, form := range forms(text) {
		for _, inner := range decoded(form) {
			candidates = append(candidates, forms(inner)...)
		}
	}
	for _, candidate := range candidates {
		words := " " + strings.Join(wordsOf(candidate), " ") + " "
		caseless := folded(words)
		for _, n := range v.needles {
			if n.short && strings.Contains(words, n.text) || !n.short && strings.Contains(caseless, n.text) {
				return true
			}
		}
	}
	return false
}

// collector gathers the needles of messages.
type collector struct {
	own     map[string]bool                // words of the contract, folded
	known   map[protoreflect.FullName]bool // messages whose words these are
	seen    map[needle]bool
	needles []needle
}

// ownWords learns the words that the names of messages and fields are made of.
func (c *collector) ownWords(descriptor protoreflect.MessageDescriptor) {
	if c.known[descriptor.FullName()] {
		return
	}
	c.known[descriptor.FullName()] = true
	c.own[folded(string(descriptor.Name()))] = true
	for i := range descriptor.Fields().Len() {
		field := descriptor.Fields().Get(i)
		for word := range strings.SplitSeq(string(field.Name()), "_") {
			c.own[folded(word)] = true
		}
		if field.Message() != nil {
			c.ownWords(field.Message())
		}
	}
}

// message adds the personal fields of a message; all of them, if the message stands in such a field itself.
func (c *collector) message(message protoreflect.Message, all bool) {
	if packed, isAny := message.Interface().(*anypb.Any); isAny {
		if content, err := packed.UnmarshalNew(); err == nil {
			c.message(content.ProtoReflect(), all)
			return
		}
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		all := all || personal(field)
		switch {
		case field.IsMap():
			value.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
				c.value(field.MapKey(), key.Value(), all)
				c.value(field.MapValue(), value, all || personal(field.MapValue()))
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				c.value(field, value.List().Get(i), all)
			}
		default:
			c.value(field, value, all)
		}
		return true
	})
}

func (c *collector) value(field protoreflect.FieldDescriptor, value protoreflect.Value, all bool) {
	switch {
	case field.Message() != nil:
		c.message(value.Message(), all)
	case all && field.Kind() == protoreflect.StringKind:
		for _, form := range forms(value.String()) {
			c.text(wordsOf(form))
		}
	case all && field.Kind() == protoreflect.BytesKind && utf8.Valid(value.Bytes()):
		c.text(wordsOf(string(value.Bytes())))
	}
}

// text adds the words of one value.
func (c *collector) text(words []string) {
	if len(words) <= fewWords {
		for _, word := range words {
			c.word(word)
		}
		c.run(words)
		return
	}
	for i, word := range words {
		if strings.IndexFunc(word, unicode.IsLetter) < 0 && utf8.RuneCountInString(word) >= numberLength {
			c.word(word)
		}
		if run := words[i:min(i+runWords, len(words))]; utf8.RuneCountInString(strings.Join(run, " ")) >= runLength {
			c.run(run)
		}
		c.unspaced(word)
	}
}

// run adds words in a row, which are found in any case.
func (c *collector) run(words []string) {
	if len(words) > 1 {
		c.add(needle{text: " " + folded(strings.Join(words, " ")) + " "})
	}
}

// word adds a word by itself, and of a long one of a script without spaces each part too.
func (c *collector) word(word string) {
	length := utf8.RuneCountInString(word)
	switch {
	case length < 2 || c.own[folded(word)]:
	case length >= fullLength || isUnspaced(word):
		c.add(needle{text: folded(word)})
		c.unspaced(word)
	default:
		c.add(needle{text: " " + word + " ", short: true})
	}
}

// unspaced adds what may be a sentence without spaces.
func (c *collector) unspaced(word string) {
	if !isUnspaced(word) {
		return
	}
	runes := []rune(word)
	for i := range max(len(runes)-runUnspaced+1, 0) {
		c.add(needle{text: folded(string(runes[i : i+runUnspaced]))})
	}
}

func (c *collector) add(n needle) {
	if !c.seen[n] {
		c.seen[n] = true
		c.needles = append(c.needles, n)
	}
}

// isUnspaced reports whether a word is of a script in which words do not stand apart.
func isUnspaced(word string) bool {
	return strings.ContainsFunc(word, func(r rune) bool {
		return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	})
}
