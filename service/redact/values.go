package redact

import (
	"slices"
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

// Values are the personal values of messages, to be looked for in texts of others, where such a text came that may have
// some.
//
// The texts are short, and the values may be as long as a request. So it is the texts that are taken to pieces; the values
// are gone through once, for all texts together, and nothing is made of them. Whoever sends calls that are refused must
// not make the gateway work much more than the store.
type Values struct{ messages []proto.Message }

// ValuesOf returns the texts of the fields that are marked with debug_redact, in the messages and all that is in them.
// The words of the contract itself, such as customer or email, are never among them: a message that says
// "customer not found" tells nothing of one whose e-mail address begins with customer.
func ValuesOf(messages ...proto.Message) *Values { return &Values{messages} }

// In reports whether a text has one of the values, or a part of one, however it is escaped.
func (v *Values) In(text string) bool { return v.InEach(text)[0] }

// InEach reports of each of the texts whether it has one of the values.
func (v *Values) InEach(texts ...string) []bool {
	s := newSearch(texts)
	c := collector{search: s, own: map[string]bool{}, known: map[protoreflect.FullName]bool{}}
	for _, message := range v.messages {
		c.ownWords(message.ProtoReflect().Descriptor())
	}
	for _, message := range v.messages {
		c.message(message.ProtoReflect(), false)
	}
	return s.found
}

// collector goes through messages, and looks for what is personal in them.
type collector struct {
	*search

	own   map[string]bool                // words of the contract, folded
	known map[protoreflect.FullName]bool // messages whose words these are
	text  []byte                         // the words of the value at hand, folded
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
				c.field(field.MapKey(), key.Value(), all)
				c.field(field.MapValue(), value, all || personal(field.MapValue()))
				return true
			})
		case field.IsList():
			for i := range value.List().Len() {
				c.field(field, value.List().Get(i), all)
			}
		default:
			c.field(field, value, all)
		}
		return true
	})
}

func (c *collector) field(field protoreflect.FieldDescriptor, value protoreflect.Value, all bool) {
	switch {
	case field.Message() != nil:
		c.message(value.Message(), all)
	case all && field.Kind() == protoreflect.StringKind:
		for _, form := range forms(value.String()) {
			c.value(form)
		}
	case all && field.Kind() == protoreflect.BytesKind && utf8.Valid(value.Bytes()):
		c.value(string(value.Bytes()))
	}
}

// value looks for one value.
func (c *collector) value(text string) {
	c.text = append(slices.Grow(c.text[:0], len(text)+2), ' ')
	if isLong(text) {
		c.longText(text)
		return
	}
	words := 0
	for start, end, ok := nextWord(text, 0); ok; start, end, ok = nextWord(text, end) {
		at := len(c.text)
		c.fold(text[start:end])
		c.word(text[start:end], c.text[at:])
		c.text = append(c.text, ' ')
		words++
	}
	c.run(0, words)
}

func isLong(text string) bool {
	words := 0
	for _, end, ok := nextWord(text, 0); ok && words <= fewWords; _, end, ok = nextWord(text, end) {
		words++
	}
	return words > fewWords
}

// longText looks for runs of words, and for what says something alone.
func (c *collector) longText(text string) {
	var starts, lengths [runWords]int // of the latest words: where the space before them is, and their characters
	words := 0
	for start, end, ok := nextWord(text, 0); ok; start, end, ok = nextWord(text, end) {
		word, at := text[start:end], len(c.text)
		length := c.fold(word)
		if length >= numberLength && strings.IndexFunc(word, unicode.IsLetter) < 0 {
			c.word(word, c.text[at:])
		}
		c.unspaced(word, c.text[at:])
		c.text = append(c.text, ' ')
		copy(starts[:], starts[1:])
		copy(lengths[:], lengths[1:])
		starts[runWords-1], lengths[runWords-1] = at-1, length
		words++
		if words >= runWords && sum(lengths[:])+runWords-1 >= runLength {
			c.run(starts[0], runWords)
		}
	}
	if last := lengths[1:]; sum(last)+len(last)-1 >= runLength { // the end of a text may be a run that is shorter
		c.run(starts[1], len(last))
	}
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

// run looks for the latest words in a row, which are found in any case.
func (c *collector) run(start, words int) {
	if words > 1 {
		c.caseless.find(c.text[start:], c.found)
	}
}

// word looks for a word by itself, and of a long one of a script without spaces for each part too.
func (c *collector) word(word string, folded []byte) {
	length := utf8.RuneCountInString(word)
	switch {
	case length < 2 || c.own[string(folded)]:
	case length >= fullLength || isUnspaced(word):
		c.caseless.find(folded, c.found)
		c.unspaced(word, folded)
	default:
		c.exact.find([]byte(" "+word+" "), c.found)
	}
}

// unspaced looks for the parts of what may be a sentence without spaces.
func (c *collector) unspaced(word string, folded []byte) {
	if len(word) < runUnspaced || !isUnspaced(word) {
		return
	}
	var starts [runUnspaced]int // of the latest characters
	length := 0
	for at := 0; at < len(folded); {
		_, size := utf8.DecodeRune(folded[at:])
		starts[length%runUnspaced] = at
		length++
		at += size
		if length >= runUnspaced {
			c.caseless.find(folded[starts[length%runUnspaced]:at], c.found)
		}
	}
}

// fold appends a word, and returns how many characters it has.
func (c *collector) fold(word string) int {
	length := 0
	for _, r := range word {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A' // the least of its cases
		} else if r >= utf8.RuneSelf {
			if least, known := c.alphabet[r]; known {
				r = least
			}
		}
		c.text = utf8.AppendRune(c.text, r)
		length++
	}
	return length
}

// isUnspaced reports whether a word is of a script in which words do not stand apart.
func isUnspaced(word string) bool {
	return strings.ContainsFunc(word, func(r rune) bool {
		return r >= firstUnspaced && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	})
}

// firstUnspaced is the first character of these scripts; most texts have none beyond it.
const firstUnspaced = 0x0E00
