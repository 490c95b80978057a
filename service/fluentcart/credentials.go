package fluentcart

import (
	"context"
	"net/http"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// Credentials are a WordPress user and one of its application passwords. The zero value is nobody.
type Credentials struct {
	Username string
	Password secret.Text
}

// As sends all requests in the name of one user.
func As(username, password string) func(context.Context) Credentials {
	one := Credentials{username, secret.New(password)}
	return func(context.Context) Credentials { return one }
}

func (c Credentials) equal(other Credentials) bool {
	return c.Username == other.Username && c.Password.Reveal() == other.Password.Reveal()
}

func (c Credentials) sign(request *http.Request) {
	if c.Username != "" || !c.Password.Empty() {
		request.SetBasicAuth(c.Username, c.Password.Reveal())
	}
}

// renewed returns the credentials to use after the store has refused used (401, F18), and whether they are others. A
// password that has just been replaced is not the caller's fault.
func (c *Client) renewed(ctx context.Context, used Credentials) (Credentials, bool) {
	if c.renew != nil {
		c.renew()
	}
	now := c.credentials(ctx)
	return now, !now.equal(used)
}
