package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

//go:embed fixture.json
var fixtureJSON []byte

// databaseTime is the database's format of a DATETIME; the store keeps them in UTC (F14).
const databaseTime = time.DateTime

type fixture struct {
	customers map[int64]customer
	accounts  map[int64]account
}

// fixtureRow is a Row with times in the database's format.
type fixtureRow struct {
	Row
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

func readFixture() (fixture, error) {
	var file struct {
		Customers      []fixtureRow `json:"customers"`
		WordPressUsers []account    `json:"wordpress_users"`
	}
	if err := json.Unmarshal(fixtureJSON, &file); err != nil {
		return fixture{}, err
	}

	f := fixture{customers: map[int64]customer{}, accounts: map[int64]account{}}
	for _, fr := range file.Customers {
		row, err := fr.row()
		if err != nil {
			return fixture{}, fmt.Errorf("customer %d: %w", fr.ID, err)
		}
		f.customers[row.ID] = newCustomer(row)
	}
	for _, a := range file.WordPressUsers {
		f.accounts[a.ID] = a
	}
	return f, nil
}

func (fr fixtureRow) row() (Row, error) {
	row := fr.Row
	var err error
	if row.CreatedAt, err = time.Parse(databaseTime, fr.CreatedAt); err != nil {
		return Row{}, err
	}
	if row.UpdatedAt, err = time.Parse(databaseTime, fr.UpdatedAt); err != nil {
		return Row{}, err
	}

	if bytes.Equal(row.PurchaseValue, []byte("null")) {
		row.PurchaseValue = nil
		return row, nil
	}
	// The file is indented; a response is not.
	var compact bytes.Buffer
	if err := json.Compact(&compact, row.PurchaseValue); err != nil {
		return Row{}, err
	}
	row.PurchaseValue = compact.Bytes()
	return row, nil
}

// firstExtraID is the id of the first extra customer. It is far above the ids of the fixture.
const firstExtraID = 1001

// addExtraCustomers adds n customers that differ only in id, e-mail, last name and UUID.
func addExtraCustomers(customers map[int64]customer, n int) {
	since := time.Date(2025, time.June, 12, 9, 15, 0, 0, time.UTC)
	for id := int64(firstExtraID); id < firstExtraID+int64(n); id++ {
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
