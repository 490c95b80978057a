package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// firstExtra is the first customer of a sandbox store that is started here, beside those that every sandbox store has.
const firstExtra = 1001

// customers reads ids and ranges of ids. By default there are as many as calls at once, since updates of one customer follow
// one another. A running gateway has no default: its store may be a live shop.
func (f *faults) customers(text string, running bool, parallel int) []int64 {
	switch {
	case text == "" && running:
		f.check(false, "-addr needs -customers: the notes of these customers of its store are overwritten (a gateway with --sandbox has the customers 1,4)")
		return nil
	case text == "":
		text = fmt.Sprintf("%d-%d", firstExtra, firstExtra+min(max(parallel, 1), maxCustomers)-1)
	}
	var ids []int64
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err1 := strconv.ParseInt(first, 10, 64)
		to, err2 := strconv.ParseInt(last, 10, 64)
		if err1 != nil || err2 != nil || from < 1 || to < from || to-from >= maxCustomers || len(ids) >= maxCustomers {
			f.check(false, "-customers=%s: must be ids or ranges such as 1,4 or 1001-1032, at most %d customers", text, maxCustomers)
			return nil
		}
		for id := from; id <= to; id++ {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// ranges is the reverse of faults.customers.
func ranges(sorted []int64) string {
	var parts []string
	for i := 0; i < len(sorted); {
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		part := strconv.FormatInt(sorted[i], 10)
		if j > i {
			part += "-" + strconv.FormatInt(sorted[j], 10)
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ",")
}
