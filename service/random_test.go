package service_test

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// testSeed returns the seed of a test's random numbers, and logs it. The variable TEST_SEED repeats an earlier run.
func testSeed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("TEST_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("TEST_SEED=%d", seed)
	return seed
}

// uniformBetween returns a random duration between least and most. All are equally likely.
func uniformBetween(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// logUniformBetween returns a random duration between least and most. Each order of magnitude is equally likely.
func logUniformBetween(random *rand.Rand, least, most time.Duration) time.Duration {
	return time.Duration(float64(least) * math.Pow(float64(most)/float64(least), random.Float64()))
}
