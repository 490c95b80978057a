<?php
// The faults by name. Each does what a plug-in can do in a hook.

namespace Faults;

function customer() {
	return (int) basename( $_SERVER['REQUEST_URI'] );
}

function request_id() {
	return json_decode( file_get_contents( 'php://input' ) )->request_id;
}

/** Another connection to the database, past the gate. */
function other_connection() {
	$link = new \mysqli( 'localhost', 'root', '', 'wordpress', 0, getenv( 'COMPANION_DIRECTORY' ) . '/mariadb.sock' );
	return $link;
}

function query( ...$statements ) {
	foreach ( $statements as $statement ) {
		$GLOBALS['wpdb']->query( $statement );
	}
}

/** Runs a statement past $wpdb and its filters, on its connection. */
function raw( ...$statements ) {
	foreach ( $statements as $statement ) {
		mysqli_query( $GLOBALS['wpdb']->dbh, $statement );
	}
}

function kill() {
	other_connection()->query( 'KILL ' . mysqli_thread_id( $GLOBALS['wpdb']->dbh ) );
}

/** Makes a table for the customer, before the transaction: one that is younger than its snapshot cannot be used in it. */
function make_table() {
	other_connection()->query( 'CREATE TABLE locked_' . customer() . ' (id INT PRIMARY KEY, n INT NOT NULL) SELECT seq AS id, 0 AS n FROM seq_1_to_500' );
}

/** Locks all rows of that table by another transaction. Returns its connection and the name of the table. */
function locked_table() {
	$other = other_connection();
	$table = 'locked_' . customer();
	$other->query( 'BEGIN' );
	$other->query( "UPDATE $table SET n = 1" );
	return array( $other, $table );
}

function deadlock() {
	list( $other, $table ) = locked_table();
	$other->query( 'SET innodb_lock_wait_timeout = 30' );
	$other->query( 'UPDATE wp_fct_customers SET ltv = ltv + 1 WHERE id = ' . customer(), MYSQLI_ASYNC ); // Waits for this update's transaction.
	query( "UPDATE $table SET n = 2 WHERE id = 1" );
	$other->reap_async_query();
	$other->query( 'ROLLBACK' );
}

function set_column( $column, $value ) {
	query( "UPDATE wp_fct_customers SET $column = '$value' WHERE id = " . customer() );
}

function nested( $method, $path, $body = array() ) {
	$request = new \WP_REST_Request( $method, $path );
	$request->set_header( 'Content-Type', 'application/json' );
	$request->set_body( wp_json_encode( $body ) );
	rest_do_request( $request );
}

function end_buffers() {
	while ( ob_get_level() && @ob_end_clean() ) {
		continue;
	}
}

function answer_with( $status ) {
	add_filter( 'rest_request_after_callbacks', function ( $response, $handler, $request ) use ( $status ) {
		return 'PUT' === $request->get_method() ? new \WP_REST_Response( array( 'message' => 'Changed', 'data' => array( 'city' => 'Changed' ) ), $status ) : $response;
	}, 99, 3 );
}

function all() {
	return array(
		// Ends of the request.
		'exit'                    => function () { exit; },
		'die-with-text'           => function () { die( 'dead' ); },
		'wp-die'                  => function () { wp_die( 'dead' ); },
		'wp-die-200'              => function () { wp_die( 'dead', '', array( 'response' => 200 ) ); },
		'wp-send-json'            => function () { wp_send_json( array( 'message' => 'Customer updated successfully!', 'data' => array( 'city' => 'x' ) ) ); },
		'wp-send-json-error-400'  => function () { wp_send_json_error( 'no', 400 ); },
		'faked-mark-and-exit'     => function () {
			wp_send_json( array( 'fluentcart_gateway' => 1, 'request_id' => request_id(), 'result' => 'applied', 'changed' => array( 'notes' ) ) );
		},
		'redirect-and-exit'       => function () { wp_redirect( 'https://example.com/' ); exit; },
		'exception'               => function () { throw new \Exception( 'thrown' ); },
		'error'                   => function () { undefined_function(); },
		'compile-error'           => function () { eval( 'class Twice {} class Twice {}' ); },
		'user-error'              => function () { trigger_error( 'fatal', E_USER_ERROR ); },
		'memory-limit'            => function () { ini_set( 'memory_limit', (string) ( memory_get_usage( true ) + ( 1 << 20 ) ) ); str_repeat( 'x', 1 << 26 ); },
		'memory-limit-in-pieces'  => function () {
			ini_set( 'memory_limit', (string) ( memory_get_usage( true ) + ( 1 << 21 ) ) );
			for ( $all = array(); true; ) {
				$all[] = array( count( $all ) );
			}
		},
		'time-limit'              => function () {
			set_time_limit( 1 );
			while ( true ) {
				continue;
			}
		},
		'exit-in-shutdown-action' => function () { add_action( 'shutdown', function () { exit; }, -1 ); exit; },
		'exit-in-shutdown'        => function () { register_shutdown_function( function () { echo 'late'; exit; } ); },
		'shutdown-then-exit'      => function () {
			register_shutdown_function( function () { echo 'late'; query( 'COMMIT' ); } );
			add_action( 'shutdown', function () { query( 'COMMIT' ); } );
			exit;
		},
		'exception-handler'       => function () { set_exception_handler( function () { wp_send_json( array( 'handled' => true ) ); } ); throw new \Exception( 'thrown' ); },
		'error-handler'           => function () {
			set_error_handler( function ( $level, $text ) { throw new \ErrorException( $text ); } );
			echo $undefined;
		},
		'error-handler-only'      => function () { set_error_handler( function ( $level, $text ) { throw new \ErrorException( $text ); } ); },

		// Transactions by $wpdb.
		'commit'                  => function () { query( 'COMMIT' ); },
		'commit-and-exit'         => function () { query( 'COMMIT' ); exit; },
		'rollback'                => function () { query( 'ROLLBACK' ); },
		'begin-and-no-end'        => function () { query( 'START TRANSACTION' ); },
		'begin-and-exit'          => function () { query( 'BEGIN' ); exit; },
		'transaction-committed'   => function () { query( 'START TRANSACTION', "UPDATE wp_users SET user_url = 'x' WHERE ID = " . customer(), 'COMMIT' ); },
		'transaction-rolled-back' => function () { query( 'BEGIN WORK', 'UPDATE wp_fct_customers SET postcode = 1 WHERE id = ' . customer(), 'ROLLBACK' ); },
		'two-transactions'        => function () { query( 'start transaction', 'START TRANSACTION', 'COMMIT;', 'ROLLBACK' ); },
		'autocommit-on'           => function () { query( 'SET autocommit=1' ); },
		'autocommit-off-and-on'   => function () { query( 'SET SESSION autocommit = OFF', 'COMMIT', 'ROLLBACK', 'SET @@autocommit = ON' ); },
		'autocommit-among-others' => function () { query( "SET NAMES 'utf8mb4', autocommit = 1" ); },
		'commit-after-comment'    => function () { query( "/* plug-in */ -- so\n COMMIT" ); },
		'commit-in-comment'       => function () { query( '/*!50000 COMMIT */' ); },
		'commit-and-chain'        => function () { query( 'COMMIT AND CHAIN' ); },
		'own-savepoint'           => function () { query( 'SAVEPOINT own', 'UPDATE wp_fct_customers SET postcode = 1 WHERE id = ' . customer(), 'ROLLBACK TO SAVEPOINT own', 'RELEASE SAVEPOINT own' ); },
		'create-table'            => function () { query( 'CREATE TABLE created_' . customer() . ' (id INT)' ); },
		'alter-table'             => function () { query( 'ALTER TABLE wp_fct_customers ADD COLUMN IF NOT EXISTS extra INT' ); },
		'truncate'                => function () { query( 'TRUNCATE wp_links' ); },
		'temporary-table'         => function () { query( 'CREATE TEMPORARY TABLE temporary_rows (id INT)', 'INSERT INTO temporary_rows VALUES (1)', 'DROP TEMPORARY TABLE temporary_rows' ); },
		'lock-tables'             => function () { query( 'LOCK TABLES wp_options WRITE', 'UNLOCK TABLES' ); },
		'kill-by-query'           => function () { query( 'KILL CONNECTION_ID()' ); },
		'failing-query'           => function () { $GLOBALS['wpdb']->show_errors(); query( 'SELECT nothing FROM nowhere' ); },

		// Transactions past $wpdb.
		'raw-commit'              => function () { raw( 'COMMIT' ); },
		'raw-commit-and-exit'     => function () { raw( 'COMMIT' ); exit; },
		'raw-commit-and-400'      => function () { raw( 'COMMIT' ); answer_with( 400 ); },
		'raw-rollback'            => function () { raw( 'ROLLBACK' ); },
		'raw-rollback-and-exit'   => function () { raw( 'ROLLBACK' ); exit; },
		'raw-rollback-and-commit' => function () { raw( 'ROLLBACK' ); set_column( 'notes', 'by a plug-in' ); raw( 'COMMIT' ); exit; },
		'raw-begin'               => function () { raw( 'BEGIN' ); },
		'raw-autocommit'          => function () { raw( 'SET autocommit=1' ); },
		'raw-create-table'        => function () { raw( 'CREATE TABLE raw_' . customer() . ' (id INT)' ); },
		'filters-removed'         => function () { remove_all_filters( 'query' ); query( 'COMMIT' ); },

		// The connection, locks and other transactions.
		'killed'                  => function () { kill(); },
		'killed-with-reconnects'  => function () {
			$GLOBALS['wpdb']->get_col_charset( 'wp_fct_customers', 'city' ); // So that the next statement is the UPDATE.
			$GLOBALS['wpdb']->reconnect_retries = 2;
			kill();
		},
		'killed-and-exit'         => function () { kill(); exit; },
		'killed-and-connected'    => function () { kill(); $GLOBALS['wpdb']->db_connect( false ); },
		'connected-again'         => function () { $GLOBALS['wpdb']->db_connect( false ); },
		'other-connection'        => function () { $GLOBALS['wpdb']->dbh = other_connection(); },
		'closed'                  => function () { mysqli_close( $GLOBALS['wpdb']->dbh ); },
		'wpdb-closed'             => function () { $GLOBALS['wpdb']->close(); },
		'deadlock'                => function () { deadlock(); },
		'deadlock-and-exit'       => function () { deadlock(); exit; },
		'lock-wait'               => function () { list( $other, $table ) = locked_table(); query( "UPDATE $table SET n = 2" ); },
		'lock-wait-of-another'    => function () { other_connection()->query( "UPDATE wp_fct_customers SET notes = 'other' WHERE id = " . customer() ); },
		'strict-reports'          => function () { mysqli_report( MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT ); },
		'prefix-changed'          => function () { $GLOBALS['wpdb']->set_prefix( 'other_' ); },
		'myisam-and-exit'         => function () { query( "INSERT INTO wp_myisam VALUES (1)" ); exit; },

		// Rows.
		'another-column'          => function () { set_column( 'postcode', '99999' ); },
		'the-same-column'         => function () { set_column( 'city', 'Elsewhere' ); },
		'aov'                     => function () { set_column( 'aov', '1.25' ); },
		'customer-deleted'        => function () { query( 'DELETE FROM wp_fct_customers WHERE id = ' . customer() ); },
		'request-deleted'         => function () { query( 'DELETE FROM wp_fluentcart_gateway_requests' . " WHERE request_id = '" . request_id() . "'" ); },
		'request-cancelled'       => function () { query( "UPDATE wp_fluentcart_gateway_requests SET state = 'cancelled' WHERE request_id = '" . request_id() . "'" ); },

		// Output.
		'text'                    => function () { echo 'text'; },
		'html-and-warning'        => function () { echo '<p>html</p>'; echo $undefined; trigger_error( 'so', E_USER_WARNING ); },
		'much-output'             => function () { for ( $i = 0; $i < 512; $i++ ) { echo str_repeat( 'x', 1 << 14 ); flush(); } },
		'text-past-buffers'       => function () { end_buffers(); echo 'text'; flush(); },
		'buffer-left-open'        => function () { ob_start(); echo 'text'; },
		'locked-buffer'           => function () { ob_start( null, 0, 0 ); echo 'text'; },
		'headers'                 => function () { header( 'Content-Encoding: gzip' ); header( 'Content-Length: 5' ); status_header( 404 ); },
		'headers-past-buffers'    => function () { end_buffers(); status_header( 404 ); echo '{"code":"rest_no_route"}'; flush(); },
		'redirect'                => function () { wp_redirect( 'https://example.com/' ); },
		'mail'                    => function () { wp_mail( 'shop@example.com', 'Changed', 'A customer was changed.' ); },
		'mail-and-exit'           => function () { wp_mail( 'shop@example.com', 'Changed', 'A customer was changed.' ); exit; },

		// The REST API.
		'nested-update'           => function () { nested( 'POST', '/fluentcart-gateway/v1/customers/' . customer(), array( 'request_id' => wp_generate_uuid4(), 'set' => array( 'city' => 'Nested' ) ) ); },
		'nested-cancel'           => function () { nested( 'DELETE', '/fluentcart-gateway/v1/requests/' . request_id() ); },
		'nested-put'              => function () { nested( 'PUT', '/fluent-cart/v2/customers/' . customer(), array( 'id' => customer(), 'city' => 'Nested' ) ); },
		'answer-400'              => function () { answer_with( 400 ); },
		'answer-200'              => function () { answer_with( 200 ); },
		'user-logged-out'         => function () { wp_set_current_user( 0 ); },
		'account-read-and-exit'   => function () { get_userdata( customer() ); get_user_meta( customer() ); exit; },
		'account-read-and-400'    => function () { get_userdata( customer() ); get_user_meta( customer() ); answer_with( 400 ); },
		'cache-flushed'           => function () { wp_cache_flush(); },
		'slow'                    => function () { usleep( 300000 ); },

		// From the point "load" on.
		'put-answered-by-plug-in' => function () {
			add_filter( 'rest_pre_dispatch', function ( $result, $server, $request ) {
				return 'PUT' === $request->get_method() ? new \WP_REST_Response( array( 'message' => 'ok', 'data' => array( 'city' => 'x' ) ) ) : $result;
			}, 10, 3 );
		},
		'error-answered-by-plug-in' => function () {
			add_filter( 'rest_pre_dispatch', function ( $result, $server, $request ) {
				return 'PUT' === $request->get_method() ? new \WP_Error( 'rest_forbidden', 'no', array( 'status' => 403 ) ) : $result;
			}, 10, 3 );
		},
		'answers-changed'         => function () { add_filter( 'rest_post_dispatch', function () { return new \WP_REST_Response( array( 'other' => true ), 400 ); } ); },
		'answers-served'          => function () { add_filter( 'rest_pre_serve_request', function () { echo '{"served":true}'; return true; } ); },
		'callbacks-changed'       => function () {
			add_filter( 'rest_request_after_callbacks', function ( $response, $handler, $request ) {
				return 'POST' === $request->get_method() ? new \WP_Error( 'changed', 'no', array( 'status' => 400 ) ) : $response;
			}, 10, 3 );
		},
		'queries-with-comments'   => function () { add_filter( 'query', function ( $query ) { return "/* a plug-in's */ " . $query; } ); },
		'text-at-load'            => function () { echo "\n<b>Notice</b>"; },
	);
}
