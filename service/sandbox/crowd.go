package sandbox

import (
	"fmt"
	"strconv"
	"time"
)

// firstOfCrowd leaves the fixture's ids room.
const firstOfCrowd = 1001

// addCrowd adds n customers that differ in id, e-mail, last name and UUID only.
func addCrowd(customers map[int64]customer, n int) {
	since := time.Date(2025, time.June, 12, 9, 15, 0, 0, time.UTC)
	for id := int64(firstOfCrowd); id < firstOfCrowd+int64(n); id++ {
		number := strconv.FormatInt(id, 10)
		status, city, aov := "active", "Start", 100.0
		customers[id] = newCustomer(Row{
			ID:        id,
			Email:     "customer-" + number + "@example.com",
			FirstName: "Customer",
			LastName:  number,
			Status:    &status,
			City:      &city,
			AOV:       &aov,
			UUID:      fmt.Sprintf("%032d", id),
			CreatedAt: since,
			UpdatedAt: since,
		})
	}
}
