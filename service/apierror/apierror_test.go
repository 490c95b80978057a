package apierror_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// declaredReasons reads the reasons out of the source, so that a new one without a row in the table is found.
func declaredReasons(t *testing.T) []apierror.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []apierror.Reason
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Reason" {
			value, _ := spec.Values[0].(*ast.BasicLit)
			reasons = append(reasons, apierror.Reason(strings.Trim(value.Value, `"`)))
		}
		return true
	})
	if len(reasons) < 30 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	return reasons
}

func TestEveryReasonHasACodeAndAnHTTPStatus(t *testing.T) {
	seen := map[apierror.Reason]bool{}
	for _, reason := range declaredReasons(t) {
		if seen[reason] {
			t.Errorf("%s is declared twice", reason)
		}
		seen[reason] = true
		s := apierror.New(reason, apierror.NotSent, "message").GRPCStatus()
		httpStatus, known := apierror.HTTPStatus(s)
		if !known || httpStatus < 400 || s.Code() == codes.OK {
			t.Errorf("%s: code %v, HTTP status %d, known %v", reason, s.Code(), httpStatus, known)
		}
	}
}

// Nothing outside this package may define a reason or a write state again, or make an ErrorInfo of its own.
func TestReasonsAndWriteStatesAreDefinedHereOnly(t *testing.T) {
	forbidden := map[string]bool{strconv.Quote(string(apierror.NotSent)): true}
	for _, reason := range declaredReasons(t) {
		forbidden[strconv.Quote(string(reason))] = true
	}
	files := 0
	for _, root := range []string{"..", filepath.Join("..", "..", "cmd")} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || filepath.Dir(path) == filepath.Join("..", "apierror") {
				return err
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				switch node := node.(type) {
				case *ast.BasicLit:
					if forbidden[node.Value] {
						t.Errorf("%s: %s belongs to package apierror", set.Position(node.Pos()), node.Value)
					}
				case *ast.CompositeLit:
					if kind, ok := node.Type.(*ast.SelectorExpr); ok && kind.Sel.Name == "ErrorInfo" {
						t.Errorf("%s: an ErrorInfo is made by package apierror only", set.Position(node.Pos()))
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 50 {
		t.Fatalf("only %d files found", files)
	}
}

func TestErrorCarriesWhatTheStoreAnswered(t *testing.T) {
	cause := errors.New("the cause")
	err := apierror.New(apierror.StoreRejected, apierror.Rejected, "message").CausedBy(cause).Upstream(500, "400")
	if err.Error() != "STORE_REJECTED: the cause" || !errors.Is(err, cause) || err.State() != apierror.Rejected {
		t.Errorf("%v, state %q", err, err.State())
	}
	info := apierror.InfoOfError(fmt.Errorf("wrapped: %w", err))
	if got := info.GetMetadata(); got["upstream_status"] != "500" || got["upstream_code"] != "400" || got["write_state"] != "rejected" {
		t.Errorf("metadata %v", got)
	}
	if message := err.GRPCStatus().Message(); message != "message" {
		t.Errorf("the caller gets %q", message)
	}
}

func TestPassedDeadlineIsDeadlineExceededOnBothTransports(t *testing.T) {
	s := apierror.New(apierror.WriteOutcomeUnknown, apierror.Unknown, "message").DeadlineExceeded().GRPCStatus()
	if got, _ := apierror.HTTPStatus(s); s.Code() != codes.DeadlineExceeded || got != http.StatusGatewayTimeout {
		t.Errorf("code %v, HTTP status %d", s.Code(), got)
	}
}

func TestStatusOfOthersHasNoHTTPStatus(t *testing.T) {
	foreign, err := status.New(codes.Internal, "message").WithDetails(&errdetails.ErrorInfo{Domain: "example.com", Reason: "INVALID_FIELD"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*status.Status{status.New(codes.Internal, "message"), foreign} {
		if got, known := apierror.HTTPStatus(s); known {
			t.Errorf("%v: HTTP status %d", s, got)
		}
	}
}

func TestLongListsOfViolationsAreTruncated(t *testing.T) {
	var violations []apierror.Violation
	for i := range 20 {
		violations = append(violations, apierror.Violation{Field: fmt.Sprintf("field_%d", i), Description: "is wrong"})
	}
	s := apierror.Invalid(violations...).GRPCStatus()
	if !strings.HasSuffix(s.Message(), "field_7: is wrong; request: has more faults (12 are not listed)") {
		t.Errorf("message %q", s.Message())
	}
	for _, detail := range s.Details() {
		if listed, ok := detail.(*errdetails.BadRequest); ok && len(listed.GetFieldViolations()) != 9 {
			t.Errorf("%d violations are listed", len(listed.GetFieldViolations()))
		}
	}
}

func TestOnlyNamesAreQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"city":                  `"city"`,
		"customer.city":         `"customer.city"`,
		"city[]":                `"city[]"`,
		"ann@example.com":       "a name of 15 bytes",
		"a b":                   "a name of 3 bytes",
		strings.Repeat("a", 41): "a name of 41 bytes",
		"":                      `""`,
	} {
		if got := apierror.QuoteName(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}

func TestRetryDelayIsAtLeastASecond(t *testing.T) {
	for delay, want := range map[time.Duration]time.Duration{0: time.Second, -1: time.Second, 3 * time.Second: 3 * time.Second} {
		if got := apierror.RetryInfo(delay).GetRetryDelay().AsDuration(); got != want {
			t.Errorf("%s becomes %s, want %s", delay, got, want)
		}
	}
}
