package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

//go:embed fixture.json
var fixtureJSON []byte

func readFixture() (customers map[int64]Row, accounts map[int64]account, err error) {
	var file struct {
		Customers      []Row     `json:"customers"`
		WordPressUsers []account `json:"wordpress_users"`
	}
	if err := json.Unmarshal(fixtureJSON, &file); err != nil {
		return nil, nil, err
	}

	customers, accounts = map[int64]Row{}, map[int64]account{}
	for _, row := range file.Customers {
		customers[row.ID] = row
	}
	for _, a := range file.WordPressUsers {
		accounts[a.ID] = a
	}
	return customers, accounts, nil
}

// initialRows returns the fixture's rows and extra customers. It panics if the fixture is invalid, as New does.
func initialRows(extra int) (customers map[int64]Row, accounts map[int64]account) {
	customers, accounts, err := readFixture()
	if err != nil {
		panic(fmt.Sprintf("sandbox: embedded fixture: %v", err))
	}
	addExtraCustomers(customers, extra)
	return customers, accounts
}

// firstExtraID is the id of the first extra customer. It is far above the ids of the fixture.
const firstExtraID = 1001

// addExtraCustomers adds n customers that differ only in id, e-mail, last name and UUID.
func addExtraCustomers(customers map[int64]Row, n int) {
	since := time.Date(2025, time.June, 12, 9, 15, 0, 0, time.UTC)
	for id := int64(firstExtraID); id < firstExtraID+int64(n); id++ {
		number := strconv.FormatInt(id, 10)
		status, city, aov := "active", "Start", 100.0
		customers[id] = Row{
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
		}
	}
}
