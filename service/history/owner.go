package history

import (
	"slices"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// claim assigns a write to calls.
type claim struct {
	write sandbox.Write
	// owners are the calls that this write was made for: it is the first write with their values, which later writes of
	// the same customer repeat. There is one owner, unless several calls share a write.
	owners []int
	// again is the index of a call whose values the write applies a second time; -1 if there is none.
	again int
	// torn are calls of which the write is the first one with any of their values, but without all of them, or to the
	// wrong customer.
	torn []int
}

// claims finds the owners of the writes, which must be in the order in which they were applied.
//
// A write that merges also carries the values of older calls, which its call has read from the store. The older calls do
// not own it, because their own writes came before. The owner is the call that no earlier write carries.
func claims(calls []Call, writes []sandbox.Write) ([]claim, []string) {
	authors, faults := authors(calls)
	if len(faults) > 0 {
		return nil, faults
	}
	all := make([]claim, 0, len(writes))
	first := map[int]sandbox.Write{} // the first write that carries the call
	for _, w := range writes {
		c := claim{write: w, again: -1}
		var older []int
		for _, i := range carried(authors, w) {
			_, isOlder := first[i]
			switch {
			case isOlder:
				older = append(older, i)
			case calls[i].Customer != w.Customer || !isComplete(calls[i], w):
				c.torn = append(c.torn, i)
			default:
				c.owners = append(c.owners, i)
			}
		}
		if len(c.owners) == 0 && len(c.torn) == 0 {
			c.again = repeated(calls, older, first, w)
		}
		for _, i := range slices.Concat(c.owners, c.torn) {
			first[i] = w
		}
		all = append(all, c)
	}
	return all, nil
}

// carried returns the calls of which the write carries a value, in the order of the list.
func carried(authors map[value]int, w sandbox.Write) []int {
	var found []int
	for field, text := range w.Sent {
		if i, ok := authors[value{field, text}]; ok && !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	slices.Sort(found)
	return found
}

func isComplete(c Call, w sandbox.Write) bool {
	for field, text := range c.Fields {
		if sent, ok := w.Sent[field]; !ok || sent != text {
			return false
		}
	}
	return true
}

// repeated returns the older call that a write without new values most likely applies again: the call in progress when the
// write was received, else the call that began last; -1 if there is none.
func repeated(calls []Call, older []int, first map[int]sandbox.Write, w sandbox.Write) int {
	best, bestInProgress := -1, false
	for _, i := range older {
		if first[i].Customer != w.Customer || !isComplete(calls[i], w) {
			continue
		}
		inProgress := !w.Received.Before(calls[i].Begin) && !w.Received.After(calls[i].End)
		isLater := best < 0 || calls[i].Begin.After(calls[best].Begin)
		if best < 0 || inProgress && !bestInProgress || inProgress == bestInProgress && isLater {
			best, bestInProgress = i, inProgress
		}
	}
	return best
}
