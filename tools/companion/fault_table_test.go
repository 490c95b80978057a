package companion

// The outcomes of a fault: the result of the POST, the cause of one that failed, or after an answer that is lost or not marked
// the result of the DELETE.
const (
	applied        = "applied"
	refused        = "refused"
	died           = "died"
	transaction    = "transaction"
	unasked        = "unasked_change"
	deadlock       = "deadlock"
	lockTimeout    = "lock_timeout"
	cancelled      = "unmarked, then cancelled"
	alreadyApplied = "unmarked, then already_applied"
	// A plug-in has committed or rolled back on the connection itself. Neither POST nor DELETE answers, and none says anything wrong.
	unknown = "unknown"
)

// fault is one of testdata/fault_functions.php, with its outcome at each point, or at all of them.
type fault struct {
	name string
	want []string
}

// points are those of an update at which another plug-in may run.
var points = []string{"before", "after", "commit"}

var faults = []fault{
	// Ends of the request.
	{"exit", []string{died}},
	{"die-with-text", []string{died}},
	{"wp-die", []string{died}},
	{"wp-die-200", []string{died}},
	{"wp-send-json", []string{died}},
	{"wp-send-json-error-400", []string{died}},
	{"faked-mark-and-exit", []string{died}},
	{"redirect-and-exit", []string{died}},
	{"exception", []string{died}},
	{"error", []string{died}},
	{"compile-error", []string{died}},
	{"user-error", []string{died}},
	{"memory-limit", []string{cancelled}},
	{"memory-limit-in-pieces", []string{cancelled}},
	{"time-limit", []string{died}},
	{"exit-in-shutdown-action", []string{cancelled}},
	{"exit-in-shutdown", []string{applied}},
	{"shutdown-then-exit", []string{died}},
	{"exception-handler", []string{died}},
	{"error-handler", []string{died}},
	{"error-handler-only", []string{applied}},
	// Transactions by $wpdb.
	{"commit", []string{applied}},
	{"commit-and-exit", []string{died}},
	{"rollback", []string{applied}},
	{"begin-and-no-end", []string{applied}},
	{"begin-and-exit", []string{died}},
	{"transaction-committed", []string{applied}},
	{"transaction-rolled-back", []string{applied}},
	{"two-transactions", []string{applied}},
	{"autocommit-on", []string{applied}},
	{"autocommit-off-and-on", []string{applied}},
	{"autocommit-among-others", []string{transaction}},
	{"commit-after-comment", []string{applied}},
	{"commit-in-comment", []string{transaction}},
	{"commit-and-chain", []string{transaction}},
	{"own-savepoint", []string{applied}},
	{"create-table", []string{transaction}},
	{"alter-table", []string{transaction}},
	{"truncate", []string{transaction}},
	{"temporary-table", []string{applied}},
	{"lock-tables", []string{transaction}},
	{"kill-by-query", []string{transaction}},
	{"failing-query", []string{applied}},
	// Transactions past $wpdb.
	{"raw-commit", []string{unknown}},
	{"raw-commit-and-exit", []string{unknown}},
	{"raw-commit-and-400", []string{unknown}},
	{"raw-rollback", []string{unknown}},
	{"raw-rollback-and-exit", []string{unknown}},
	{"raw-rollback-and-commit", []string{unknown}},
	{"raw-begin", []string{unknown}},
	{"raw-autocommit", []string{alreadyApplied}},
	{"raw-create-table", []string{unknown}},
	{"filters-removed", []string{unknown}},
	// The connection, locks and other transactions.
	{"killed", []string{cancelled}},
	{"killed-with-reconnects", []string{cancelled}},
	{"killed-and-exit", []string{cancelled}},
	{"killed-and-connected", []string{cancelled}},
	{"connected-again", []string{transaction, applied, applied}},
	{"other-connection", []string{transaction, applied, applied}},
	{"closed", []string{cancelled}},
	{"wpdb-closed", []string{cancelled}},
	{"deadlock", []string{deadlock}},
	{"deadlock-and-exit", []string{deadlock}},
	{"lock-wait", []string{lockTimeout}},
	{"lock-wait-of-another", []string{applied}},
	{"strict-reports", []string{applied}},
	{"prefix-changed", []string{applied}},
	{"myisam-and-exit", []string{died}},
	// Rows.
	{"another-column", []string{applied, unasked, unasked}},
	{"the-same-column", []string{applied}},
	{"aov", []string{applied, unasked, unasked}},
	{"customer-deleted", []string{unasked}},
	{"request-deleted", []string{transaction}},
	{"request-cancelled", []string{transaction}},
	// Output.
	{"text", []string{applied}},
	{"html-and-warning", []string{applied}},
	{"much-output", []string{applied}},
	{"text-past-buffers", []string{alreadyApplied}},
	{"buffer-left-open", []string{applied}},
	{"locked-buffer", []string{alreadyApplied}},
	{"headers", []string{applied}},
	{"headers-past-buffers", []string{alreadyApplied}},
	{"redirect", []string{applied}},
	{"mail", []string{applied}},
	{"mail-and-exit", []string{died}},
	// The REST API.
	{"nested-update", []string{applied}},
	{"nested-cancel", []string{applied}},
	{"nested-put", []string{applied}},
	{"answer-400", []string{refused}},
	{"answer-200", []string{applied}},
	{"user-logged-out", []string{applied}},
	{"account-read-and-exit", []string{died}},
	{"account-read-and-400", []string{refused}},
	{"cache-flushed", []string{applied}},
	{"slow", []string{applied}},
}

// loadFaults begin before the update, and are there until its end.
var loadFaults = []fault{
	{"put-answered-by-plug-in", []string{applied}},
	{"error-answered-by-plug-in", []string{died}},
	{"answers-changed", []string{applied}},
	{"answers-served", []string{applied}},
	{"callbacks-changed", []string{applied}},
	{"queries-with-comments", []string{applied}},
	{"text-at-load", []string{alreadyApplied}},
}
