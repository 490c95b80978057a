package fluentcart

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// The companion is an optional plug-in of WordPress (deploy/wordpress). It merges an update where the data is, in one
// transaction, so that one request takes the place of a read and a write. Each request has an id, by which a request whose
// response was lost can be cancelled: then it was applied already, or never will be.
//
// Only a response with the companion's mark and the request's id counts, because hooks of other plug-ins can end a request
// with any status and any JSON (F25).

const (
	// companionRoute is the path of the companion's routes below the REST API.
	companionRoute = "/fluentcart-gateway/v1"
	// companionProtocol is the version of the protocol that the gateway knows.
	companionProtocol = "1"
)

// Partial is an update that the companion merges into the customer.
type Partial struct {
	CustomerID int64
	// RequestID is a random UUID, another one for each Partial that is sent.
	RequestID string
	// Set holds the fields to change. Others keep their values.
	Set Update
	// Keep are columns that must keep their values: if Set changes one of them, nothing is written.
	Keep []string
	// IfMatch are versions of the customer. If it is not nil and the customer has none of them, nothing is written.
	IfMatch []string
	// Key is the caller's own id of the update, a UUID or empty. An update that was applied with the same key is not
	// applied again. Fingerprint stands for what the caller asked for: the same key with another one is refused.
	Key, Fingerprint string
}

// Result is what the companion did with a request.
type Result string

// The results. Only after Applied and AlreadyApplied the customer was written.
const (
	Applied        Result = "applied"
	AlreadyApplied Result = "already_applied" // by an earlier request with the same id or key
	Returned       Result = "returned"        // nothing to change, or a condition is not met; the answer has the customer
	RefusedByStore Result = "refused"         // FluentCart refused the write; rolled back
	Cancelled      Result = "cancelled"       // the request id was cancelled, and is never applied
	KeyReused      Result = "key_reused"      // the key belongs to another update
	RolledBack     Result = "failed"          // the transaction failed, and was rolled back
)

// The causes of RolledBack, beside those that mean that a hook of another plug-in is at fault.
const (
	CauseDeadlock      = "deadlock"       // the database gave the transaction up for others
	CauseLockTimeout   = "lock_timeout"   // another transaction held the customer for too long
	CauseUnaskedChange = "unasked_change" // columns would have changed that are not in Set
	CauseUnsupported   = "unsupported"    // the companion does not work on this store
)

// Reasons of Returned that the gateway distinguishes.
const (
	WhyUnchanged = "unchanged" // the customer already is as asked
	WhyEncoding  = "encoding"  // a stored text is damaged
)

// Answer is what the companion answered.
type Answer struct {
	Result Result
	// Why is why nothing was written, with Returned: one of the reasons above, or empty.
	Why string
	// Version is the version of the customer; with Applied that of after the write.
	Version string
	// Before is the customer before the write, with Applied and RefusedByStore.
	Before *Customer
	// Customer is the customer as it is now, with Applied, AlreadyApplied and Returned. With AlreadyApplied it is nil if the
	// customer cannot be read, or does not exist any more.
	Customer *Customer
	// Changed names the columns that the write changed, with Applied and AlreadyApplied.
	Changed []string
	// Refusal is FluentCart's own refusal, with RefusedByStore.
	Refusal *Error
	// Cause is why a transaction failed, with RolledBack, and Columns the columns that a hook changed unasked.
	Cause   string
	Columns []string
}

// Companion is what a probe found of the companion.
type Companion struct {
	// Version is the version of the plug-in.
	Version string
	// Ready reports whether it accepts updates. If not, Refuses says why, in the plug-in's codes, if the account may know it.
	Ready   bool
	Refuses []string
}

// ApplyPartial sends an update to the companion, at most once, as PutCustomer sends a PUT: it calls mayStart, and returns an
// Error of the kind CallerLeft, after which AwaitAnswer must be called. An Error that is Sent, and has the kind NoAnswer, Broken or
// BadAnswer, leaves open whether the update was applied, or still will be: Cancel decides that. After any other Error nothing
// was written; NotFound says that there is no such customer.
func (c *Client) ApplyPartial(ctx context.Context, partial Partial, mayStart func() error) (*Answer, error) {
	body := partial.body()
	got, err := c.repeat(ctx, func(as Credentials, resends int) (*response, error) {
		return c.do(ctx, c.putTimeout, &request{
			route: applyRoute, method: http.MethodPost, target: c.companion + "/customers/" + strconv.FormatInt(partial.CustomerID, 10),
			as: as, body: body, expected: &Customer{ID: partial.CustomerID}, requestID: partial.RequestID, mayStart: mayStart, resends: resends,
		})
	})
	return got.readAnswer(err)
}

// AwaitAnswer is Await for ApplyPartial.
func (e *Error) AwaitAnswer(ctx context.Context) (*Answer, error) {
	got, err := e.await(ctx)
	return got.readAnswer(err)
}

// Cancel makes sure that a request of ApplyPartial is not applied any more. The result is Cancelled, or AlreadyApplied if the
// request was applied before. It waits for the request if that is being worked on. It sends up to three requests if they
// fail in a way that may be temporary.
func (c *Client) Cancel(ctx context.Context, customer int64, requestID string) (*Answer, error) {
	got, err := c.repeat(ctx, func(as Credentials, resends int) (*response, error) {
		return c.do(ctx, c.putTimeout, &request{
			route: cancelRoute, method: http.MethodDelete, target: c.companion + "/requests/" + requestID,
			as: as, expected: &Customer{ID: customer}, requestID: requestID, resends: resends,
		})
	})
	return got.readAnswer(err)
}

// ProbeCompanion asks whether the store has a companion of a version that the gateway knows. It needs no account. An Error of
// kind NoRoute that is FromWordPress means that there is none.
func (c *Client) ProbeCompanion(ctx context.Context) (*Companion, error) {
	c.retries.earn()
	got, err := c.repeat(ctx, func(as Credentials, resends int) (*response, error) {
		return c.do(ctx, c.getTimeout, &request{route: probeRoute, method: http.MethodGet, target: c.companion, as: as, resends: resends})
	})
	if err != nil {
		return nil, err
	}
	return got.companion, nil
}

// readAnswer returns the answer in the response, or the error, and notes the version of the customer.
func (r *response) readAnswer(err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	if r.answer.Customer != nil {
		r.client.versions.shown(r.answer.Customer)
	}
	return r.answer, nil
}

// usualBody is the size of most requests, in bytes.
const usualBody = 256

// body returns the JSON of the request. None of its names, outside of set, is that of a field of FluentCart, which reads
// the body too.
func (p *Partial) body() []byte {
	out := append(make([]byte, 0, usualBody), `{"request_id":"`...)
	out = append(append(out, p.RequestID...), `","set":{`...)
	set := len(out)
	out = p.Set.appendMembers(out)
	if len(out) > set {
		out = slices.Delete(out, set, set+1) // the first comma
	}
	out = append(out, '}')
	out = appendList(out, "keep", p.Keep)
	out = appendList(out, "if_match", p.IfMatch)
	if p.Key != "" {
		out = appendText(out, "key", Send(&p.Key))
		out = appendText(out, "fingerprint", Send(&p.Fingerprint))
	}
	return append(out, '}')
}

// appendList appends a list of texts, unless it is nil.
func appendList(out []byte, name string, list []string) []byte {
	if list == nil {
		return out
	}
	return appendMember(out, name, Send(&list), func(out []byte, list []string) []byte {
		out = append(out, '[')
		for i, text := range list {
			if i > 0 {
				out = append(out, ',')
			}
			out, _ = jsontext.AppendQuote(out, text) // its error is about UTF-8 that it has replaced
		}
		return append(out, ']')
	})
}
