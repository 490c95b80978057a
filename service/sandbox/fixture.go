package sandbox

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

//go:embed fixture.json
var fixtureJSON []byte

// databaseTime is how the database prints a DATETIME; the store keeps them in UTC (F14).
const databaseTime = time.DateTime

type fixture struct {
	customers map[int64]customer
	accounts  map[int64]account
}

// fixtureRow is a Row whose times are written as the database prints them.
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
	// The file is indented for its readers; an answer is not.
	var compact bytes.Buffer
	if err := json.Compact(&compact, row.PurchaseValue); err != nil {
		return Row{}, err
	}
	row.PurchaseValue = compact.Bytes()
	return row, nil
}
