package fluentcart

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// markedAnswer reads an object with the companion's mark, in one pass.
type markedAnswer struct {
	expected *Customer // its id is the one that the answer must be about

	protocol  string // as it stands in the JSON
	requestID string
	answer    Answer
	before    *row
	customer  *row
	refusal   storeAnswer

	version string // of the plug-in
	ready   bool
	refuses []string
}

// storeAnswer is FluentCart's own response, as the companion passes it on.
type storeAnswer struct {
	Status int            `json:"status"`
	Body   jsontext.Value `json:"body"`
}

// UnmarshalJSONFrom reads the whole object. Its error is about JSON that is malformed, or of other types than the
// protocol's.
func (a *markedAnswer) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	into := func(value any) error { return json.UnmarshalDecode(in, value, tolerant) }
	return eachMember(in, func(name jsontext.Value) error {
		switch string(name) {
		case `"fluentcart_gateway"`:
			raw, err := in.ReadValue()
			a.protocol = string(raw)
			return err
		case `"request_id"`:
			return readShownText(in, &a.requestID)
		case `"result"`:
			return readShownText(in, &a.answer.Result)
		case `"version"`:
			return readShownText(in, &a.version)
		case `"changed"`:
			return into(&a.answer.Changed)
		case `"why"`:
			return readShownText(in, &a.answer.Why)
		case `"cause"`:
			return readShownText(in, &a.answer.Cause)
		case `"columns"`:
			return into(&a.answer.Columns)
		case `"before"`:
			return a.readRow(in, &a.before, row{compared: true})
		case `"customer"`:
			return a.readRow(in, &a.customer, row{})
		case `"answer"`:
			return into(&a.refusal)
		case `"ready"`:
			return into(&a.ready)
		case `"refuses"`:
			return into(&a.refuses)
		}
		return in.SkipValue()
	})
}

// readShownText reads a string or a number as text, and anything else as empty text.
func readShownText[T ~string](in *jsontext.Decoder, into *T) error {
	raw, err := in.ReadValue()
	*into = T(shownText(raw))
	return err
}

// readRow reads a customer into an empty row, or null.
func (a *markedAnswer) readRow(in *jsontext.Decoder, into **row, empty row) error {
	if in.PeekKind() != '{' {
		return in.SkipValue()
	}
	*into = &empty
	return (*into).read(in, a.expected)
}

// missing is the result for a customer that does not exist.
const missing Result = "missing"

// judgeAnswer is classify for the companion's routes: it returns nil for a response with the companion's mark. Any other
// response to a request that writes leaves open what became of it, except an error that WordPress gives before it runs the
// route (F25).
func (r *response) judgeAnswer(request *request) *Error {
	marked, found := r.findMarked(request)
	if !found {
		return r.unmarked(request)
	}
	if request.requestID == "" {
		r.companion = &Companion{Version: shownVersion(marked.version), Ready: marked.ready, Refuses: shownCodes(marked.refuses)}
		return nil
	}
	if marked.answer.Result == missing {
		failure := r.error(NotFound, nil)
		failure.Status, failure.Code = http.StatusNotFound, codeNoCustomer // as FluentCart's own read says it (F6)
		return failure
	}
	answer, err := marked.read(r)
	if err != nil {
		return r.error(BadAnswer, err)
	}
	r.answer = answer
	return nil
}

// findMarked looks for the object with the mark. Hooks may print text around it (F20).
func (r *response) findMarked(request *request) (found markedAnswer, ok bool) {
	expected := request.expected
	if expected == nil {
		expected = &Customer{}
	}
	isOurs := func(a *markedAnswer) bool {
		return a.protocol == companionProtocol && a.requestID == request.requestID
	}
	found.expected = expected
	if json.Unmarshal(r.body, &found, tolerant) == nil {
		return found, isOurs(&found)
	}
	for object := range objects(r.body) {
		next := markedAnswer{expected: expected}
		if json.Unmarshal(object, &next, tolerant) == nil && isOurs(&next) {
			found, ok = next, true
		}
	}
	return found, ok
}

// read checks the answer, and returns it.
func (a *markedAnswer) read(r *response) (*Answer, error) {
	answer := a.answer
	answer.Version = a.version
	answer.Changed, answer.Columns = onlyWritten(answer.Changed), onlyWritten(answer.Columns)
	var err error
	if a.before != nil {
		if answer.Before, err = a.before.checked(a.expected); err != nil {
			return nil, err
		}
	}
	if a.customer != nil {
		if answer.Customer, err = a.customer.checked(a.expected); err != nil {
			return nil, err
		}
	}
	switch answer.Result {
	case Applied:
		if answer.Before == nil || answer.Customer == nil {
			return nil, errors.New("the companion's answer lacks a customer")
		}
	case Returned:
		if answer.Why != WhyUnchanged && answer.Why != WhyEncoding {
			answer.Why = ""
		}
		if answer.Customer == nil {
			return nil, errors.New("the companion's answer lacks the customer")
		}
	case RefusedByStore:
		if answer.Before == nil {
			return nil, errors.New("the companion's answer lacks the customer")
		}
		answer.Refusal = a.refusal.refusal(r)
	case RolledBack:
		answer.Cause = shownCause(answer.Cause)
	case AlreadyApplied, Cancelled, KeyReused:
	default:
		return nil, errors.New("the companion's answer has a result that the gateway does not know")
	}
	return &answer, nil
}

// onlyWritten removes the names that no column of a customer has.
func onlyWritten(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !isWritten(name) })
}

// checked returns the customer of the row if it has all columns that an update can change.
func (r *row) checked(expected *Customer) (*Customer, error) {
	if err := r.check(expected, false, isReplaced); err != nil {
		return nil, err
	}
	return &r.customer, nil
}

// refusal returns FluentCart's refusal of a write as the Error that it would be without the companion.
func (s *storeAnswer) refusal(outer *response) *Error {
	inner := &response{client: outer.client, method: http.MethodPut, began: outer.began, status: s.Status, header: http.Header{}, body: s.Body}
	body, _ := refusalIn(inner.body)
	if stated := inner.stated(body); stated != nil {
		return stated
	}
	return inner.error(Refused, fmt.Errorf("FluentCart answered with status %d in the companion", s.Status))
}

// unmarked returns the Error of a response without the mark.
func (r *response) unmarked(request *request) *Error {
	if len(r.body) > maxBody {
		return r.error(BadAnswer, fmt.Errorf("response over %d bytes", maxBody))
	}
	body, count := refusalIn(r.body)
	stated := r.stated(body)
	switch {
	case stated == nil:
		return r.error(BadAnswer, errors.New("the companion's mark is missing"))
	case !request.isWrite() || stated.Kind == Broken || count <= 1 && r.beforeCompanion(body):
		return stated
	}
	failure := r.error(Broken, nil)
	failure.Code, failure.RetryAfter, failure.Refusal = stated.Code, stated.RetryAfter, stated
	return failure
}

// beforeCompanion reports whether a refusal was made before the companion got the request: by WordPress before it
// dispatches (F25), or by its maintenance mode (F19).
func (r *response) beforeCompanion(body refusal) bool {
	if r.status == http.StatusServiceUnavailable {
		return body.Code == codeDied && body.dataStatus() == r.status && r.header.Get("Retry-After") != ""
	}
	return body.beforeDispatch(r.status)
}
