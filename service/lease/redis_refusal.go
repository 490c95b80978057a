package lease

import "strings"

// Problem returns why no lease is granted, in a few words. It repeats no words of the server.
func (e *UnavailableError) Problem() string {
	if e.Err == nil {
		return "Redis has just started, and leases that it may have lost have not expired yet"
	}
	if refused := refusal(e.Err); refused != "" {
		return refused
	}
	return "Redis does not answer"
}

// refusal returns how Redis refuses the gateway, or an empty text for another failure.
func refusal(err error) string {
	text := err.Error()
	for _, known := range refusals {
		if strings.Contains(text, known.reply) {
			return known.problem
		}
	}
	return ""
}

const (
	wantsAuth        = "Redis wants a password"
	refusesAuth      = "Redis refuses the password or the user name"
	permitsTooLittle = "Redis does not permit its user the commands or keys that leases need"
	wantsNoAuth      = "Redis has no password and refuses the gateway's"
)

// refusals are parts of the replies by which Redis refuses a client. The client library and the scripts add other words.
var refusals = []struct{ reply, problem string }{
	{"NOAUTH", wantsAuth},
	{"unauthenticated", wantsAuth}, // "ERR Protocol error: unauthenticated multibulk length", for a command of more than ten words
	{"WRONGPASS", refusesAuth},
	{"invalid password", refusesAuth}, // before Redis 6
	{"NOPERM", permitsTooLittle},
	{"user executing the script", permitsTooLittle}, // it can't run a command, or access a key
	{"ACL failure in script", permitsTooLittle},
	{"without any password configured", wantsNoAuth},
	{"no password is set", wantsNoAuth}, // before Redis 6
	{"DENIED", "Redis is in protected mode and refuses other machines"},
}

// unavailable returns the error of a request that failed. A server that refuses its client may close the connection without
// a reply. Then the refusal that the latest poll got says more than the closed connection.
func (r *Redis) unavailable(err error) *UnavailableError {
	if polled := r.status.Load(); polled != nil && polled.Err != nil && refusal(polled.Err) != "" && refusal(err) == "" && !isTimeout(err) {
		return polled
	}
	return &UnavailableError{Err: err}
}
