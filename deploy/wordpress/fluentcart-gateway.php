<?php
/**
 * Plugin Name: FluentCart Gateway Companion
 * Description: Lets fluentcart-gateway update a FluentCart customer in one database transaction, and say afterwards whether it happened.
 * Version: 1.0.0
 * Requires at least: 5.9
 * Requires PHP: 7.4
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 */

defined( 'ABSPATH' ) || exit;

if ( ! class_exists( 'FluentCart_Gateway_Companion', false ) ) : // The file may be a plug-in and a must-use plug-in at once.

	/**
	 * A transaction around code of other plug-ins: none of them can end it, get out of it, or send mail before it is committed.
	 *
	 * Its own statements go to the connection directly. $wpdb would pass them through the filters of other plug-ins, and after a
	 * lost connection repeat them on a new one, outside the transaction.
	 */
	final class FluentCart_Gateway_Transaction {
		public $cause         = ''; // Why it can only be rolled back: deadlock, lock_timeout, database or transaction.
		public $open          = false;
		private $link         = null; // The mysqli connection.
		private $settings     = array(); // Those of $wpdb that are changed meanwhile.
		private $hook_started = ''; // Whether a plug-in believes to be in a transaction of its own: '', once or always.
		private $mails        = array();

		public function __construct() {
			$this->link = $GLOBALS['wpdb']->dbh;
		}

		/** Not by START TRANSACTION: after a deadlock, the database would commit each of the statements that follow by itself. */
		public function begin() {
			global $wpdb;
			$changes = array(
				'reconnect_retries' => 0,
				'dbhost'            => 'localhost:/no-reconnect-in-a-transaction', // For a plug-in that switches the retries on again.
			);
			foreach ( $changes as $name => $value ) {
				$this->settings[ $name ] = $wpdb->$name;
				$wpdb->$name             = $value;
			}
			add_filter( 'query', array( $this, 'filter_query' ), PHP_INT_MAX );
			add_filter( 'pre_wp_mail', array( $this, 'hold_mail' ), PHP_INT_MIN, 2 );
			$this->open = true;
			$this->sql( 'SET autocommit=0' );
			$this->sql( 'SAVEPOINT fluentcart_gateway' );
		}

		/** Runs a statement. Each %s is replaced by a quoted value. An error ends the transaction, other than that of a duplicate key. */
		public function sql( $sql, ...$values ) {
			foreach ( $values as &$value ) {
				$value = null === $value ? 'NULL' : "'" . mysqli_real_escape_string( $this->link, (string) $value ) . "'";
			}
			$result = $this->quietly( $values ? vsprintf( $sql, $values ) : $sql );
			if ( false === $result && 1062 !== mysqli_errno( $this->link ) ) {
				$this->note_error();
				$this->cause = $this->cause ? $this->cause : 'database';
				throw new RuntimeException( 'database error ' . mysqli_errno( $this->link ) );
			}
			return $result;
		}

		/** Returns the first row that a statement reads, as text and nulls, or null. */
		public function row( $sql, ...$values ) {
			return mysqli_fetch_assoc( $this->sql( $sql, ...$values ) );
		}

		public function affected_rows() {
			return mysqli_affected_rows( $this->link );
		}

		/** Commits, if all since begin() was one transaction. False: it is not certain what became of it. */
		public function commit() {
			$committed = false;
			try {
				$this->sql( 'RELEASE SAVEPOINT fluentcart_gateway' ); // Fails if the transaction was ended behind our back.
				$committed = $this->sql( 'COMMIT' );
			} catch ( Throwable $error ) {
				$this->quietly( 'ROLLBACK' );
			}
			$this->close();
			return $committed;
		}

		/** Rolls back. False: it is not certain that nothing was written, because a plug-in may have committed on the connection itself. */
		public function rollback( $table, $request_id ) {
			$whole       = $this->quietly( 'RELEASE SAVEPOINT fluentcart_gateway' );
			$rolled_back = $this->quietly( 'ROLLBACK' );
			if ( $rolled_back && ! $whole && 'deadlock' === $this->cause ) { // The database has rolled back by itself.
				$found = $this->quietly( "SELECT 1 FROM $table WHERE request_id = '$request_id'" );
				$whole = $found && 0 === mysqli_num_rows( $found );
			}
			if ( $rolled_back && ! $whole ) { // Keep the question open, so that a later DELETE does not answer "cancelled".
				$this->quietly( "INSERT IGNORE INTO $table (request_id, state, created_at) VALUES ('$request_id', 'pending', UTC_TIMESTAMP())" );
				$this->quietly( 'COMMIT' );
			}
			$this->mails = array();
			$this->close();
			return $rolled_back && $whole;
		}

		public function send_mails() {
			foreach ( $this->mails as $mail ) {
				$as_filtered = static function () use ( $mail ) {
					return $mail; // The filters of wp_mail have run once already.
				};
				add_filter( 'wp_mail', $as_filtered, PHP_INT_MAX );
				wp_mail( $mail['to'], $mail['subject'], $mail['message'], $mail['headers'], $mail['attachments'] );
				remove_filter( 'wp_mail', $as_filtered, PHP_INT_MAX );
			}
		}

		public function hold_mail( $sent, $mail ) {
			$this->mails[] = $mail;
			return true;
		}

		/** Passes what cannot end a transaction. The transactions of plug-ins become savepoints; DDL and locks of tables are refused. */
		public function filter_query( $query ) {
			global $wpdb;
			$this->note_error();
			if ( $wpdb->dbh !== $this->link ) {
				$this->cause = 'transaction';
			}
			$statement = $this->cause ? null : $this->translate( $query );
			if ( null === $statement ) {
				$this->cause = $this->cause ? $this->cause : 'transaction';
				return 'DO 0'; // An empty query would leave the result of the one before to the plug-in.
			}
			return $statement;
		}

		private function translate( $query ) {
			$text  = rtrim( preg_replace( '~^(?:\s+|\(|/\*(?![!M]).*?\*/|(?:--\s|#)[^\n]*(?:\n|$))+~s', '', $query ), "; \t\r\n" );
			$off   = preg_match( '/^SET\s+(SESSION\s+|@@(SESSION\.)?)?autocommit\s*:?=\s*(0|OFF|FALSE)$/i', $text );
			$on    = preg_match( '/^SET\s+(SESSION\s+|@@(SESSION\.)?)?autocommit\s*:?=\s*(1|ON|TRUE)$/i', $text );
			$begin = preg_match( '/^(START\s+TRANSACTION\b.*|BEGIN(\s+WORK)?)$/is', $text );
			$end   = preg_match( '/^(COMMIT|ROLLBACK)(\s+WORK)?(\s+AND\s+NO\s+CHAIN)?(\s+NO\s+RELEASE)?$/i', $text, $match );
			if ( $off || $begin ) {
				$this->hook_started = $off ? 'always' : ( $this->hook_started ? $this->hook_started : 'once' );
				return 'SAVEPOINT fluentcart_gateway_hook';
			}
			if ( $on || $end ) {
				$started            = $this->hook_started;
				$this->hook_started = 'always' === $started && $end ? 'always' : '';
				if ( '' === $started ) {
					return 'DO 0';
				}
				return ( $end && 'ROLLBACK' === strtoupper( $match[1] ) ? 'ROLLBACK TO ' : '' ) . 'SAVEPOINT fluentcart_gateway_hook';
			}
			$harmless = '/^(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|VALUES|SHOW|DESC|DESCRIBE|EXPLAIN|DO|SAVEPOINT|RELEASE\s+SAVEPOINT'
				. '|ROLLBACK\s+(WORK\s+)?TO|(CREATE|DROP)\s+TEMPORARY\s+TABLE|SET(?!.*\b(autocommit|transaction|completion_type|statement|password|role)\b))\b/is';
			return preg_match( $harmless, $text ) ? $query : null;
		}

		/** A deadlock or a lost connection has rolled back what came before, and plug-ins go on as if nothing had happened. */
		private function note_error() {
			$causes = array(
				1205 => 'lock_timeout',
				1213 => 'deadlock',
				1927 => 'database', // The connection was killed,
				2006 => 'database', // has gone away, or
				2013 => 'database', // was lost.
			);
			try {
				$errno = mysqli_errno( $this->link );
			} catch ( Throwable $closed ) {
				$errno = 2006;
			}
			if ( '' === $this->cause && isset( $causes[ $errno ] ) ) {
				$this->cause = $causes[ $errno ];
			}
		}

		private function quietly( $sql ) {
			try {
				return mysqli_query( $this->link, $sql );
			} catch ( Throwable $error ) {
				return false;
			}
		}

		private function close() {
			global $wpdb;
			$this->open = false;
			if ( $this->quietly( 'ROLLBACK' ) ) { // Otherwise the next statement would commit what is left.
				$this->quietly( 'SET autocommit=1' );
			}
			remove_filter( 'query', array( $this, 'filter_query' ), PHP_INT_MAX );
			remove_filter( 'pre_wp_mail', array( $this, 'hold_mail' ), PHP_INT_MIN );
			foreach ( $this->settings as $name => $value ) {
				$wpdb->$name = $value;
			}
		}
	}

	/** The routes, and what they answer. The answers are sent from here, with a mark, because a plug-in can send or change any other. */
	final class FluentCart_Gateway_Companion {
		const ROUTE   = 'fluentcart-gateway/v1';
		const COLUMNS = array( 'email', 'first_name', 'last_name', 'city', 'state', 'country', 'postcode', 'status', 'notes', 'user_id' );
		const UUID    = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';

		private static $running = null; // The update or cancellation of this request.
		private $transaction;
		private $customers;
		private $requests;
		private $request_id;
		private $before = null;

		private function __construct( $request_id ) {
			global $wpdb;
			self::$running     = $this;
			$this->request_id  = strtolower( $request_id );
			$this->customers   = $wpdb->prefix . 'fct_customers';
			$this->requests    = $wpdb->prefix . 'fluentcart_gateway_requests';
			$this->transaction = new FluentCart_Gateway_Transaction();
			ignore_user_abort( true );
			ob_start( array( __CLASS__, 'discard' ), 4096 );
		}

		public static function register() {
			$text       = array( 'type' => 'string' );
			$properties = array_fill_keys( array_merge( array( 'full_name' ), self::COLUMNS ), $text );
			$uuid       = array( 'type' => 'string', 'pattern' => '^' . self::UUID . '$' );

			$properties['user_id'] = array( 'type' => 'integer', 'minimum' => 0 );
			register_rest_route( self::ROUTE, '/customers/(?P<id>[1-9][0-9]{0,18})', array(
				'methods'             => 'POST',
				'callback'            => array( __CLASS__, 'post' ),
				'permission_callback' => array( __CLASS__, 'is_allowed' ),
				'args'                => array(
					'request_id'  => $uuid + array( 'required' => true ),
					'set'         => array( 'required' => true, 'type' => 'object', 'properties' => $properties, 'additionalProperties' => false ),
					'keep'        => array( 'type' => 'array', 'items' => $text + array( 'enum' => self::COLUMNS ) ),
					'if_match'    => array( 'type' => 'array', 'items' => $text ),
					'key'         => $uuid,
					'fingerprint' => $text + array( 'maxLength' => 64 ),
				),
			) );
			register_rest_route( self::ROUTE, '/requests/(?P<request_id>' . self::UUID . ')', array(
				'methods'             => 'DELETE',
				'callback'            => array( __CLASS__, 'delete' ),
				'permission_callback' => array( __CLASS__, 'is_allowed' ),
			) );
		}

		/** The permission that FluentCart asks for the same change. */
		public static function is_allowed() {
			$permission = array( '\\FluentCart\\App\\Services\\Permission\\PermissionManager', 'hasPermission' );
			return is_callable( $permission ) && call_user_func( $permission, array( 'customers/manage' ) );
		}

		public static function index( $response, $request ) {
			if ( self::ROUTE !== $request['namespace'] ) {
				return $response;
			}
			global $wpdb;
			$refuses = self::refuses();
			$members = array( 'fluentcart_gateway' => 1, 'version' => '1.0.0', 'ready' => ! $refuses );
			if ( self::is_allowed() ) {
				$members['refuses'] = $refuses;
				$members['store']   = array(
					'wordpress'  => get_bloginfo( 'version' ),
					'fluentcart' => defined( 'FLUENTCART_VERSION' ) ? FLUENTCART_VERSION : '',
					'php'        => PHP_VERSION,
					'database'   => $wpdb->get_var( 'SELECT VERSION()' ),
				);
			}
			$response->set_data( $members + $response->get_data() );
			return $response;
		}

		/** Returns codes of what makes a transaction impossible here. */
		private static function refuses() {
			global $wpdb;
			if ( 'wpdb' !== get_class( $wpdb ) || ! $wpdb->dbh instanceof mysqli ) {
				return array( 'db_dropin' ); // It may distribute statements over several connections.
			}
			$own     = $wpdb->prefix . 'fluentcart_gateway_requests';
			$engines = self::engines( $own );
			if ( ! isset( $engines[ $own ] ) ) { // A must-use plug-in is not activated.
				self::install();
				$engines = self::engines( $own );
			}
			$galera  = $wpdb->get_row( "SHOW VARIABLES LIKE 'wsrep_on'", ARRAY_N );
			$reasons = array(
				'multisite'          => is_multisite(),
				'table_missing'      => ! isset( $engines[ $own ] ),
				'fluentcart_missing' => ! isset( $engines[ $wpdb->prefix . 'fct_customers' ] ) || ! class_exists( '\FluentCart\App\Services\Permission\PermissionManager' ),
				'engine'             => array() !== array_diff( $engines, array( 'InnoDB' ) ),
				'galera'             => $galera && 'ON' === $galera[1], // It can report a conflict as late as at COMMIT.
			);
			return array_keys( array_filter( $reasons ) );
		}

		private static function engines( $own ) {
			global $wpdb;
			return array_column( $wpdb->get_results( $wpdb->prepare(
				'SELECT table_name AS name, engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN (%s, %s, %s, %s)',
				$own, $wpdb->prefix . 'fct_customers', $wpdb->users, $wpdb->usermeta
			), ARRAY_A ), 'engine', 'name' );
		}

		/** The table holds no personal data: `changed` are names of columns. */
		public static function install() {
			global $wpdb;
			$wpdb->query( "CREATE TABLE IF NOT EXISTS {$wpdb->prefix}fluentcart_gateway_requests (
				request_id CHAR(36) NOT NULL PRIMARY KEY, request_key CHAR(36) NULL UNIQUE, fingerprint VARCHAR(64) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
				customer_id BIGINT UNSIGNED NOT NULL DEFAULT 0, state VARCHAR(10) NOT NULL, changed VARCHAR(191) NOT NULL DEFAULT '',
				created_at DATETIME NOT NULL, KEY created_at (created_at)) ENGINE=InnoDB DEFAULT CHARACTER SET ascii" );
		}

		public static function activate() {
			self::install();
			register_uninstall_hook( __FILE__, array( __CLASS__, 'uninstall' ) );
		}

		public static function uninstall() {
			global $wpdb;
			$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}fluentcart_gateway_requests" );
		}

		public static function post( WP_REST_Request $request ) {
			$parameters = (array) $request->get_json_params();
			// FluentCart reads the URL's query and the body too, and would store a column's value that it finds there.
			$sent    = $parameters + $request->get_query_params() + $request->get_body_params();
			$unknown = array_diff( array_keys( $sent ), array( 'request_id', 'set', 'keep', 'if_match', 'key', 'fingerprint', 'rest_route' ) );
			if ( $unknown || ! isset( $parameters['request_id'], $parameters['set'] ) ) {
				return new WP_Error( 'rest_invalid_param', 'The body must be JSON, without other members and without parameters in the URL.', array( 'status' => 400 ) );
			}
			if ( self::$running ) {
				return new WP_Error( 'rest_forbidden', 'An update cannot be part of another.', array( 'status' => 403 ) );
			}
			$refuses = self::refuses();
			$update  = new self( $parameters['request_id'] );
			if ( $refuses ) {
				$update->send( array( 'result' => 'failed', 'cause' => 'unsupported', 'reasons' => $refuses ) );
				exit;
			}
			register_shutdown_function( array( $update, 'shutdown' ) );
			try {
				$update->transaction->begin();
				$id     = $request->get_url_params()['id']; // $request['id'] would prefer one of the body or the query.
				$answer = $update->update( $id, $parameters );
			} catch ( Throwable $error ) {
				$answer = array( 'result' => 'failed', 'cause' => 'died' );
			}
			$update->finish( $answer );
			exit; // The filters for answers, with which a plug-in could change this one, do not run.
		}

		/** Only an update that is still running is left to a shutdown function: a plug-in has called exit, or failed. */
		public function shutdown() {
			if ( $this->transaction->open ) {
				ini_set( 'memory_limit', '-1' ); // It may be used up.
				$this->finish( array( 'result' => 'failed', 'cause' => 'died' ) );
			}
		}

		/** Ends the transaction, and answers if its outcome is certain. */
		private function finish( $answer ) {
			$transaction = $this->transaction;
			if ( $answer && 'applied' === $answer['result'] && '' === $transaction->cause ) {
				$certain = $transaction->commit();
			} else {
				$certain = $transaction->rollback( $this->requests, $this->request_id );
				$answer  = $transaction->cause ? array( 'result' => 'failed', 'cause' => $transaction->cause ) : $answer;
				$this->clean_caches();
			}
			$this->send( $certain ? $answer : null );
			if ( $certain ) {
				$transaction->send_mails();
				$this->prune();
			}
		}

		/** The steps of an update. Returns the answer; only one that is "applied" is committed. */
		private function update( $id, $parameters ) {
			$transaction = $this->transaction;
			$key         = isset( $parameters['key'] ) ? strtolower( $parameters['key'] ) : null;
			$fingerprint = isset( $parameters['fingerprint'] ) ? $parameters['fingerprint'] : '';
			$inserted    = $transaction->sql(
				"INSERT INTO {$this->requests} (request_id, request_key, fingerprint, customer_id, state, created_at) VALUES (%s, %s, %s, %s, 'pending', UTC_TIMESTAMP())",
				$this->request_id, $key, $fingerprint, $id
			);
			if ( ! $inserted ) {
				return $this->repeated( $key, $fingerprint );
			}
			// No plain SELECT comes before this one: it would fix what FluentCart's own reads see.
			$this->before = $this->locked_row( $id );
			if ( null === $this->before ) {
				return array( 'result' => 'missing' );
			}
			$merged = self::merge( $this->before, $parameters['set'] );
			$why    = $this->why_not( $merged, $parameters );
			if ( $why ) {
				return array( 'result' => 'returned', 'version' => self::version( $this->before ), 'customer' => $this->customer( $id ), 'why' => $why );
			}
			list( $status, $body ) = $this->call( 'PUT', $id, self::body( $id, $merged, $parameters['set'] ) );
			if ( 200 !== $status ) {
				return array( 'result' => 'refused', 'before' => $this->before, 'answer' => array( 'status' => $status, 'body' => $body ) );
			}
			return $this->applied( $id, $merged, isset( $body->data ) && is_object( $body->data ) ? $body->data : $this->customer( $id ) );
		}

		/** The answer to a request that is known already. */
		private function repeated( $key, $fingerprint ) {
			$known = $this->transaction->row(
				"SELECT * FROM {$this->requests} WHERE request_id = %s OR request_key = %s ORDER BY request_id = %s DESC LIMIT 1",
				$this->request_id, $key, $this->request_id
			);
			if ( $known['request_id'] !== $this->request_id && $known['fingerprint'] !== $fingerprint ) {
				return array( 'result' => 'key_reused' );
			}
			return $this->known( $known );
		}

		private function known( $known ) {
			if ( 'applied' === $known['state'] ) {
				return array(
					'result'   => 'already_applied',
					'changed'  => array_values( array_filter( explode( ',', $known['changed'] ) ) ),
					'customer' => $this->customer( $known['customer_id'] ),
				);
			}
			if ( 'cancelled' === $known['state'] ) {
				return array( 'result' => 'cancelled' );
			}
			return null; // A plug-in has committed a part of that update: what it wrote is not known.
		}

		/** What was stored must be what was asked for; the rest must be as before. */
		private function applied( $id, $merged, $customer ) {
			$transaction = $this->transaction;
			$after       = $this->locked_row( $id );
			if ( null === $after ) {
				return array( 'result' => 'failed', 'cause' => 'unasked_change', 'columns' => array( 'id' ) );
			}
			// FluentCart parts the full name after its last space: "Ann | de Groot" became "Ann de | Groot".
			if ( self::full_name( $after ) === self::full_name( $merged ) && self::changed( $after, $merged, array( 'first_name', 'last_name' ) ) ) {
				$transaction->sql( "UPDATE {$this->customers} SET first_name = %s, last_name = %s WHERE id = %s", $merged['first_name'], $merged['last_name'], $id );
				$after = $this->locked_row( $id );
			}
			$asked   = self::changed( $this->before, $merged, self::COLUMNS );
			$unasked = array_diff( self::changed( $this->before, $after, array_merge( self::COLUMNS, array( 'aov' ) ) ), $asked );
			if ( $unasked ) {
				return array( 'result' => 'failed', 'cause' => 'unasked_change', 'columns' => array_values( $unasked ) );
			}
			$changed = self::changed( $this->before, $after, self::COLUMNS );
			$transaction->sql( "UPDATE {$this->requests} SET state = 'applied', changed = %s WHERE request_id = %s AND state = 'pending'", implode( ',', $changed ), $this->request_id );
			if ( 1 !== $transaction->affected_rows() ) {
				return array( 'result' => 'failed', 'cause' => 'transaction' );
			}
			foreach ( array_merge( self::COLUMNS, array( 'aov' ) ) as $column ) {
				$customer->$column = $after[ $column ];
			}
			$customer->full_name = self::full_name( $after );
			return array( 'result' => 'applied', 'version' => self::version( $after ), 'before' => $this->before, 'customer' => $customer, 'changed' => $changed );
		}

		/** Reports an update as applied, or makes sure that it never will be. Waits for one that runs: its row is not committed yet. */
		public static function delete( WP_REST_Request $request ) {
			if ( self::$running ) {
				return new WP_Error( 'rest_forbidden', 'A cancellation cannot be part of an update.', array( 'status' => 403 ) );
			}
			self::refuses(); // Makes the table if it is missing.
			$self   = new self( $request->get_url_params()['request_id'] );
			$answer = array( 'result' => 'cancelled' );
			if ( ! $self->transaction->sql( "INSERT INTO {$self->requests} (request_id, state, created_at) VALUES (%s, 'cancelled', UTC_TIMESTAMP())", $self->request_id ) ) {
				$answer = $self->known( $self->transaction->row( "SELECT * FROM {$self->requests} WHERE request_id = %s", $self->request_id ) );
			}
			$self->send( $answer );
			$self->prune();
			exit;
		}

		private function locked_row( $id ) {
			return $this->transaction->row( "SELECT * FROM {$this->customers} WHERE id = %s FOR UPDATE", $id );
		}

		/** Calls FluentCart as a request from outside would. Returns the status and the JSON. */
		private function call( $method, $id, $body = null ) {
			$request = new WP_REST_Request( $method, '/fluent-cart/v2/customers/' . $id );
			if ( null === $body ) {
				$request->set_query_params( array( 'params' => array( 'customer_only' => 'yes' ) ) );
			} else {
				$request->set_header( 'Content-Type', 'application/json' );
				$request->set_body( wp_json_encode( $body ) );
			}
			$response = rest_do_request( $request );
			$response = is_wp_error( $response ) ? rest_convert_error_to_response( $response ) : rest_ensure_response( $response );
			return array( $response->get_status(), json_decode( wp_json_encode( $response->get_data() ) ) );
		}

		private function customer( $id ) {
			list( , $body ) = $this->call( 'GET', $id );
			return isset( $body->customer ) ? $body->customer : null;
		}

		private static function merge( $row, $set ) {
			$parts = isset( $set['first_name'] ) || isset( $set['last_name'] );
			if ( isset( $set['full_name'] ) && ! $parts && self::full_name( $row ) !== $set['full_name'] ) {
				$words             = explode( ' ', trim( $set['full_name'] ) );
				$set['last_name']  = count( $words ) > 1 ? array_pop( $words ) : '';
				$set['first_name'] = trim( implode( ' ', $words ) );
			}
			$set = array_intersect_key( $set, array_flip( self::COLUMNS ) );
			return array_replace( $row, array_intersect_key( $set, array_flip( self::changed( $row, $set + $row, self::COLUMNS ) ) ) );
		}

		/** Returns why nothing is to be written, or ''. */
		private function why_not( $merged, $parameters ) {
			$changed = self::changed( $this->before, $merged, self::COLUMNS );
			$linked  = 0 < (int) $this->before['user_id'] && '' !== (string) $this->before['email'];
			$reasons = array(
				'if_match'  => isset( $parameters['if_match'] ) && ! in_array( self::version( $this->before ), $parameters['if_match'], true ),
				'unchanged' => ! $changed,
				'keep'      => isset( $parameters['keep'] ) && array_intersect( $parameters['keep'], $changed ),
				'email'     => $linked && in_array( 'email', $changed, true ), // FluentCart would ignore it.
				'encoding'  => false === json_encode( self::body( 0, $merged, array() ) ),
			);
			return (string) key( array_filter( $reasons ) );
		}

		/** All that FluentCart's PUT takes: it clears what is left out. */
		private static function body( $id, $merged, $set ) {
			$columns = array_intersect_key( $merged, array_flip( self::COLUMNS ) );
			return $columns + array(
				'id'        => (int) $id,
				'full_name' => isset( $set['full_name'] ) ? $set['full_name'] : self::full_name( $merged ),
				'aov'       => $merged['aov'],
			);
		}

		private static function full_name( $row ) {
			return trim( $row['first_name'] . ' ' . $row['last_name'] );
		}

		/** Returns the columns whose text differs: NULL is '', and 0 in user_id. */
		private static function changed( $before, $after, $columns ) {
			return array_values( array_filter( $columns, static function ( $column ) use ( $before, $after ) {
				return self::text( $before, $column ) !== self::text( $after, $column );
			} ) );
		}

		private static function text( $row, $column ) {
			return 'user_id' === $column ? (string) (int) $row[ $column ] : (string) $row[ $column ];
		}

		private static function version( $row ) {
			$content = '';
			foreach ( array( 'email', 'first_name', 'last_name', 'city', 'state', 'country', 'postcode', 'status', 'notes' ) as $column ) {
				$content .= strlen( (string) $row[ $column ] ) . ':' . $row[ $column ] . "\n";
			}
			$time     = (string) $row['updated_at'];
			$time     = '' === $time || '0000' === substr( $time, 0, 4 ) ? '' : strtotime( $time . ' UTC' );
			$content .= (int) $row['user_id'] . "\n" . $time . "\n";
			return rtrim( strtr( base64_encode( substr( hash( 'sha256', $content, true ), 0, 16 ) ), '+/', '-_' ), '=' );
		}

		/** After a rollback, the caches have what was rolled back. First by the cached e-mail and slug, then by the stored ones. */
		private function clean_caches() {
			$user = null === $this->before ? 0 : (int) $this->before['user_id'];
			if ( $user ) {
				clean_user_cache( $user );
				clean_user_cache( $user );
				wp_cache_delete( $user, 'user_meta' );
			}
			wp_cache_delete( 'alloptions', 'options' );
		}

		/** Reads first, because a DELETE by time would wait for the rows of updates that run. */
		private function prune() {
			global $wpdb;
			$old = $wpdb->get_col( "SELECT request_id FROM {$this->requests} WHERE created_at < UTC_TIMESTAMP() - INTERVAL 1 DAY LIMIT 100" );
			if ( $old ) {
				$wpdb->query( "DELETE FROM {$this->requests} WHERE request_id IN ('" . implode( "', '", $old ) . "')" );
			}
		}

		/** Sends the answer, or an error without the mark if there is none. What plug-ins print before and after it is dropped. */
		private function send( $answer ) {
			$mark = array( 'fluentcart_gateway' => 1, 'request_id' => $this->request_id );
			$body = $answer ? $mark + $answer : array( 'code' => 'fluentcart_gateway_unknown', 'message' => 'The outcome is not certain.' );
			$json = json_encode( $body, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
			for ( $level = ob_get_level(); $level > 0; $level-- ) {
				@ob_end_clean(); // One that cannot be removed is left.
			}
			if ( ! headers_sent() ) {
				header_remove();
				http_response_code( $answer ? 200 : 500 );
				nocache_headers();
				header( 'Content-Type: application/json; charset=UTF-8' );
				if ( ! ob_get_level() && ! ini_get( 'zlib.output_compression' ) ) {
					header( 'Content-Length: ' . strlen( $json ) ); // The client need not wait for what follows.
				}
			}
			echo $json; // phpcs:ignore WordPress.Security.EscapeOutput -- JSON.
			flush();
			if ( function_exists( 'fastcgi_finish_request' ) ) {
				fastcgi_finish_request();
			}
			ob_start( array( __CLASS__, 'discard' ), 4096 );
		}

		public static function discard() {
			return '';
		}
	}

	add_action( 'rest_api_init', array( 'FluentCart_Gateway_Companion', 'register' ) );
	add_filter( 'rest_namespace_index', array( 'FluentCart_Gateway_Companion', 'index' ), PHP_INT_MAX, 2 );
	register_activation_hook( __FILE__, array( 'FluentCart_Gateway_Companion', 'activate' ) );

endif;
