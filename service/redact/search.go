package redact

import (
	"encoding/binary"
	"strings"
	"unicode"
)

// search is for what some texts of others hold.
type search struct {
	exact, caseless pieces
	alphabet        map[rune]rune // what the folded texts have, in all cases, to what it is folded to
	found           []bool        // of each text whether something was found in it
}

// newSearch takes the texts to pieces, as they are and without all escapes that they may have.
func newSearch(texts []string) *search {
	s := &search{exact: newPieces(), caseless: newPieces(), alphabet: map[rune]rune{}, found: make([]bool, len(texts))}
	for i, text := range texts {
		for _, candidate := range candidates(text) {
			words := strings.Join(wordsOf(candidate), " ")
			if words == "" {
				continue
			}
			words = " " + words + " "
			s.exact.add(i, words)
			s.caseless.add(i, folded(words))
			for _, r := range words {
				s.learn(r)
			}
		}
	}
	return s
}

// learn notes a character in all its cases. What is not among them need not be folded: it is in no text.
func (s *search) learn(r rune) {
	if _, known := s.alphabet[r]; known {
		return
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	s.alphabet[r] = least
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		s.alphabet[next] = least
	}
}

// candidates are a text and what it may stand for.
func candidates(text string) []string {
	all := forms(text)
	for _, form := range forms(text) {
		for _, inner := range decoded(form) {
			all = append(all, forms(inner)...)
		}
	}
	return all
}

// keySize is how many bytes all that is looked for has at the least: a word has four characters, or two of which one is
// of three bytes, or spaces around it.
const keySize = 4

// pieces are texts by what stands at each place in them, so that to look for something that is not there takes the same
// short time however much there is.
type pieces struct {
	content []byte
	owner   []int32          // of each byte, the text
	first   map[uint32]int32 // the last place of each key
	before  []int32          // of each place, the one before with the same key; -1 is none
}

func newPieces() pieces { return pieces{first: map[uint32]int32{}} }

// add adds a text. Nothing that is looked for has a line break, so it is in one text as a whole.
func (p *pieces) add(owner int, text string) {
	p.content = append(append(p.content, text...), '\n')
	for at := len(p.before); at < len(p.content); at++ {
		p.owner = append(p.owner, int32(owner)) //nolint:gosec // there are not so many
		previous := int32(-1)
		if at+keySize <= len(p.content) {
			key := binary.LittleEndian.Uint32(p.content[at:])
			if known, ok := p.first[key]; ok {
				previous = known
			}
			p.first[key] = int32(at) //nolint:gosec // nor so long ones
		}
		p.before = append(p.before, previous)
	}
}

// find marks the texts that have a piece.
func (p *pieces) find(piece []byte, found []bool) {
	if len(piece) < keySize {
		return
	}
	at, ok := p.first[binary.LittleEndian.Uint32(piece)]
	if !ok {
		return
	}
	for ; at >= 0; at = p.before[at] {
		if rest := p.content[at:]; len(rest) >= len(piece) && string(rest[:len(piece)]) == string(piece) {
			found[p.owner[at]] = true
		}
	}
}
