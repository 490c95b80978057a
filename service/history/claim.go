package history

import (
	"fmt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// FalseClaims reports the calls whose answer is false, one line for each. OK is false if no write carries the call, or if
// the write was applied after the answer. "Nothing was written" is false if a write carries the call, at any time. The
// writes must be all writes of the run, late ones included (F22), in the order of the store's log.
func FalseClaims(calls []Call, writes []sandbox.Write) []string {
	claims, faults := claims(calls, writes)
	if len(faults) > 0 {
		return faults
	}
	whole, parts := map[int]sandbox.Write{}, map[int]sandbox.Write{}
	for _, c := range claims {
		for _, i := range c.owners {
			whole[i], parts[i] = c.write, c.write
		}
		for _, i := range c.torn {
			parts[i] = c.write
		}
	}
	for i, c := range calls {
		switch w, ok := whole[i]; {
		case c.Outcome == Written && !ok:
			faults = append(faults, fmt.Sprintf("%v to customer %d was answered OK, but was not written", c, c.Customer))
		case c.Outcome == Written && w.Applied.After(c.End):
			faults = append(faults, fmt.Sprintf("%v to customer %d was answered OK at %s, but was written at %s",
				c, c.Customer, stamp(c.End), stamp(w.Applied)))
		case c.Outcome == NotWritten:
			if w, ok := parts[i]; ok {
				faults = append(faults, fmt.Sprintf("%v to customer %d was answered at %s that nothing was written, but was written at %s",
					c, c.Customer, stamp(c.End), stamp(w.Applied)))
			}
		}
	}
	return faults
}
