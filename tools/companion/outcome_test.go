package companion

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// outcome is what the companion says about an update: the POST's answer if it is marked, otherwise the answer to a DELETE.
type outcome struct {
	post, cancel answer
}

// settle asks what became of an update if its answer is not marked.
func (s *Store) settle(ctx context.Context, id string, post answer) outcome {
	o := outcome{post: post}
	for try := 0; try < 3 && !post.marked() && !o.cancel.marked(); try++ {
		o.cancel = s.call(ctx, http.MethodDelete, "requests/"+id, nil, nil)
	}
	return o
}

// result is the outcome in one word; "unknown" if no answer was marked.
func (o outcome) result() string {
	switch {
	case o.post.marked():
		return cmp.Or(o.post.Cause, o.post.Result)
	case o.cancel.marked():
		return "unmarked, then " + o.cancel.Result
	}
	return "unknown"
}

// wrong compares the outcome with the row before and after, and returns what is wrong, or "".
func (o outcome) wrong(t testing.TB, before, after row) string {
	t.Helper()
	changed := differences(before, after)
	says := o.post
	if !says.marked() {
		says = o.cancel
	}
	switch {
	case !says.marked():
		return ""
	case says.Result != "applied" && says.Result != "already_applied":
		if before.version(t) != after.version(t) {
			return fmt.Sprintf("%v changed", changed)
		}
	case !slices.Equal(says.Changed, changed):
		return fmt.Sprintf("%v changed", changed)
	case says.Result == "applied" && says.Version != after.version(t):
		return "the version is not that of the row"
	}
	return ""
}

// tally counts outcomes.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func newTally() *tally { return &tally{count: map[string]int{}} }

func (c *tally) add(o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[o.result()]++
}

// String is the text for the log of a test.
func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.count)
}

// inParallel calls do for each number below count, three at a time. One may fail the test and end.
func inParallel(count int, do func(i int)) {
	slots := make(chan struct{}, 3)
	var all sync.WaitGroup
	for i := range count {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	all.Wait()
}
