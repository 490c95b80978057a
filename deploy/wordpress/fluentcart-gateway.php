<?php
/**
 * Plugin Name: FluentCart Gateway Companion
 * Description: Lets fluentcart-gateway update a customer in one database transaction, and report afterwards whether it happened.
 * Version: 1.0.0
 * Requires at least: 5.9
 * Requires PHP: 7.4
 * License: GPL-2.0-or-later
 */

defined( 'ABSPATH' ) || exit;
if ( ! class_exists( 'FluentCart_Gateway_Companion', false ) ) : // It may be a plug-in and a must-use plug-in at once.

/**
 * One request. Between begin() and finish(), other plug-ins cannot end its transaction, leave it, or send mail. Its statements do not
 * pass through $wpdb, where plug-ins filter them. Its answers have a mark, and are sent from here, because plug-ins can change any other.
 */
final class FluentCart_Gateway_Companion {
	const ROUTE      = 'fluentcart-gateway/v1';
	const COLUMNS    = array( 'email', 'first_name', 'last_name', 'city', 'state', 'country', 'postcode', 'status', 'notes', 'user_id' );
	const MEMBERS    = array( 'request_id', 'set', 'keep', 'if_match', 'key', 'fingerprint', 'rest_route' ); // Of a request, with the parameter of its URL.
	const UUID       = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
	const PERMISSION = '\FluentCart\App\Services\Permission\PermissionManager::hasPermission';
	// Errors after which the database has undone work, while plug-ins go on as if nothing had happened. The last three: connection lost.
	const ERRORS = array( 1020 => 'deadlock', 1205 => 'lock_timeout', 1213 => 'deadlock', 1927 => 'database', 2006 => 'database', 2013 => 'database' );
	private static $running = false;
	private $link, $customers, $requests, $locked_row, $request_id, $settings, $hook_began, $open, $before = array(), $mails = array(), $cause = ''; // With a cause, it is rolled back.

	private function __construct( $request_id ) {
		global $wpdb;
		self::$running    = true;
		$this->link       = $wpdb->dbh;
		$this->customers  = $wpdb->prefix . 'fct_customers';
		$this->requests   = $wpdb->prefix . 'fluentcart_gateway_requests';
		$this->locked_row = "SELECT * FROM $this->customers WHERE id = %s FOR UPDATE";
		$this->request_id = strtolower( $request_id );
		ignore_user_abort( true );
		ob_start( '__return_empty_string', 4096 ); // What plug-ins print is dropped.
	}

	public static function register() {
		$text  = array( 'type' => 'string' );
		$texts = array( 'type' => 'array', 'items' => $text );
		$uuid  = array( 'type' => 'string', 'pattern' => '^' . self::UUID . '$' );
		$set   = array( 'user_id' => array( 'type' => 'integer', 'minimum' => 0 ) ) + array_fill_keys( array_merge( self::COLUMNS, array( 'full_name' ) ), $text );
		$args  = array( 'request_id' => $uuid + array( 'required' => true ), 'key' => $uuid, 'fingerprint' => $text + array( 'maxLength' => 64 ) );
		$args += array( 'set' => array( 'type' => 'object', 'required' => true, 'properties' => $set, 'additionalProperties' => false ), 'keep' => $texts, 'if_match' => $texts );
		$route = array( 'permission_callback' => array( __CLASS__, 'is_allowed' ) );
		register_rest_route( self::ROUTE, '/customers/(?P<id>[1-9][0-9]{0,18})', $route + array( 'methods' => 'POST', 'callback' => array( __CLASS__, 'post' ), 'args' => $args ) );
		register_rest_route( self::ROUTE, '/requests/(?P<request_id>' . self::UUID . ')', $route + array( 'methods' => 'DELETE', 'callback' => array( __CLASS__, 'delete' ) ) );
	}

	/** The permission that FluentCart asks for the same change. A plug-in cannot make one request part of another. */
	public static function is_allowed() {
		return ! self::$running && is_callable( self::PERMISSION ) && call_user_func( self::PERMISSION, array( 'customers/manage' ) );
	}

	public static function index( $response, $request ) {
		global $wpdb;
		if ( self::ROUTE === $request['namespace'] ) {
			$refuses = self::refuses();
			$store   = array( 'php' => PHP_VERSION, 'database' => $wpdb->get_var( 'SELECT VERSION()' ), 'wordpress' => get_bloginfo( 'version' ), 'fluentcart' => defined( 'FLUENTCART_VERSION' ) ? FLUENTCART_VERSION : '' );
			$members = array( 'fluentcart_gateway' => 1, 'version' => '1.0.0', 'ready' => ! $refuses ) + ( self::is_allowed() ? compact( 'refuses', 'store' ) : array() );
			$response->set_data( $members + $response->get_data() );
		}
		return $response;
	}

	/** Returns codes of what makes a transaction impossible here. Makes the table if it is missing: a must-use plug-in is not activated. */
	private static function refuses() {
		global $wpdb;
		$tables  = array( $wpdb->prefix . 'fct_customers', $wpdb->prefix . 'fluentcart_gateway_requests', $wpdb->users, $wpdb->usermeta );
		$query   = "SELECT table_name AS name, engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('" . implode( "', '", $tables ) . "')";
		$engines = array_column( $wpdb->get_results( $query, ARRAY_A ), 'engine', 'name' );
		return array_keys( array_filter( array(
			'db_dropin'          => 'wpdb' !== get_class( $wpdb ) || ! $wpdb->dbh instanceof mysqli, // It may use several connections.
			'multisite'          => is_multisite(),
			'table_missing'      => ! isset( $engines[ $tables[1] ] ) && ! self::install(),
			'fluentcart_missing' => ! isset( $engines[ $tables[0] ] ) || ! is_callable( self::PERMISSION ),
			'engine'             => (bool) array_diff( $engines, array( 'InnoDB' ) ),
			'galera'             => 'ON' === ( $wpdb->get_row( "SHOW VARIABLES LIKE 'wsrep_on'", ARRAY_N )[1] ?? '' ), // It finds conflicts as late as at COMMIT.
		) ) );
	}

	/** The table has no personal data: `changed` are names of columns. */
	public static function install() {
		register_uninstall_hook( __FILE__, array( __CLASS__, 'uninstall' ) );
		return $GLOBALS['wpdb']->query( "CREATE TABLE IF NOT EXISTS {$GLOBALS['wpdb']->prefix}fluentcart_gateway_requests (
			request_id CHAR(36) NOT NULL PRIMARY KEY, request_key CHAR(36) NULL UNIQUE, fingerprint VARCHAR(64) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
			customer_id BIGINT UNSIGNED NOT NULL DEFAULT 0, state VARCHAR(10) NOT NULL, changed VARCHAR(191) NOT NULL DEFAULT '',
			created_at DATETIME NOT NULL, KEY created_at (created_at)) ENGINE=InnoDB DEFAULT CHARACTER SET ascii" );
	}

	public static function uninstall() {
		$GLOBALS['wpdb']->query( "DROP TABLE IF EXISTS {$GLOBALS['wpdb']->prefix}fluentcart_gateway_requests" );
	}

	public static function post( $request ) {
		$body = (array) $request->get_json_params();
		// FluentCart reads the URL's query and this body too: a column's value in them would be stored.
		$unknown = array_diff( array_keys( $body + $request->get_query_params() + $request->get_body_params() ), self::MEMBERS );
		if ( $unknown || ! isset( $body['request_id'], $body['set'] ) ) {
			return new WP_Error( 'rest_invalid_param', 'A JSON body without other members is required, and no parameters in the URL.', array( 'status' => 400 ) );
		}
		$reasons = self::refuses();
		$update  = new self( $body['request_id'] );
		$died    = array( 'result' => 'failed', 'cause' => 'died' ); // A plug-in has called exit or wp_die, has failed, or has reached a limit.
		register_shutdown_function( static fn() => $update->open && $update->finish( $died ) );
		try {
			$id     = $request->get_url_params()['id']; // $request['id'] would prefer that of a body or query.
			$answer = $reasons ? array( 'result' => 'failed', 'cause' => 'unsupported', 'reasons' => $reasons ) : $update->run( $id, $body );
		} catch ( Throwable $error ) {
			$answer = $died;
		}
		$reasons ? $update->send( $answer ) : $update->finish( $answer );
		exit; // Without the filters by which a plug-in could change the answer.
	}

	/** Reports an update as applied, or makes sure that it never will be. Waits for one that runs: its row is not committed yet. */
	public static function delete( $request ) {
		self::refuses(); // Makes the table.
		$self = new self( $request->get_url_params()['request_id'] );
		try {
			$new    = $self->sql( "INSERT INTO $self->requests (request_id, state, created_at) VALUES (%s, 'cancelled', UTC_TIMESTAMP())", $self->request_id );
			$answer = $self->known( $new ? array( 'state' => 'cancelled' ) : $self->sql( "SELECT * FROM $self->requests WHERE request_id = %s", $self->request_id ) );
		} catch ( Throwable $error ) {
			$answer = null;
		}
		$self->send( $answer );
		exit;
	}

	private function run( $id, $body ) { // The steps of an update. Returns the answer; only one that is "applied" is committed.
		$this->begin();
		$key    = isset( $body['key'] ) ? strtolower( $body['key'] ) : null;
		$mark   = $body['fingerprint'] ?? '';
		$insert = "INSERT INTO $this->requests (request_id, request_key, fingerprint, customer_id, state, created_at) VALUES (%s, %s, %s, %s, 'pending', UTC_TIMESTAMP())";
		if ( ! $this->sql( $insert, $this->request_id, $key, $mark, $id ) ) {
			$known = $this->sql( "SELECT * FROM $this->requests WHERE request_id = %s OR request_key = %s ORDER BY request_id = %s DESC", $this->request_id, $key, $this->request_id );
			return $known['request_id'] !== $this->request_id && $known['fingerprint'] !== $mark ? array( 'result' => 'key_reused' ) : $this->known( $known );
		}
		$this->before = $this->sql( $this->locked_row, $id ); // No plain SELECT comes first: it would fix what FluentCart's own reads see.
		if ( ! $this->before ) {
			return array( 'result' => 'missing' );
		}
		$merged = self::merge( $this->before, $body['set'] );
		$why    = $this->why_not( $merged, $body );
		if ( $why ) {
			$customer = $this->call( 'GET', $id )[1]->customer ?? null;
			$returned = array( 'result' => 'returned', 'version' => self::version( $this->before ), 'customer' => $customer, 'why' => $why );
			return 'unchanged' === $why && $key ? $this->check( $id, $merged, (array) $customer ) : $returned; // A repetition must not put back what others change meanwhile.
		}
		$names = array( 'full_name' => $body['set']['full_name'] ?? self::full_name( $merged ) ); // FluentCart clears what is left out.
		$sent  = $names + array( 'id' => (int) $id, 'aov' => $merged['aov'] ) + array_intersect_key( $merged, array_flip( self::COLUMNS ) );
		list( $status, $json ) = $this->call( 'PUT', $id, $sent );
		$refused = array( 'result' => 'refused', 'before' => $this->before, 'answer' => array( 'status' => $status, 'body' => $json ) );
		return 200 === $status ? $this->check( $id, $merged, (array) ( $json->data ?? null ) ) : $refused;
	}

	/** What was asked for may be stored in another form; all else must be as before. */
	private function check( $id, $merged, $customer ) {
		$after = $this->sql( $this->locked_row, $id );
		// FluentCart parts the full name at its last space: "Ann | de Groot" became "Ann de | Groot".
		if ( $after && self::full_name( $after ) === self::full_name( $merged ) && self::changed( $after, $merged, array( 'first_name', 'last_name' ) ) ) {
			$this->sql( "UPDATE $this->customers SET first_name = %s, last_name = %s WHERE id = %s", $merged['first_name'], $merged['last_name'], $id );
			$after = $this->sql( $this->locked_row, $id );
		}
		$written = array_merge( self::COLUMNS, array( 'aov' ) );
		$unasked = $after ? array_diff( self::changed( $this->before, $after, $written ), self::changed( $this->before, $merged, $written ) ) : array( 'id' );
		if ( $unasked ) {
			return array( 'result' => 'failed', 'cause' => 'unasked_change', 'columns' => array_values( $unasked ) );
		}
		$changed     = self::changed( $this->before, $after, self::COLUMNS );
		$rows        = $this->sql( "UPDATE $this->requests SET state = 'applied', changed = %s WHERE request_id = %s AND state = 'pending'", implode( ',', $changed ), $this->request_id );
		$this->cause = 1 === $rows ? '' : 'transaction'; // A plug-in has changed our row.
		$customer    = array( 'full_name' => self::full_name( $after ) ) + array_intersect_key( $after, array_flip( $written ) ) + $customer;
		return array( 'result' => 'applied', 'version' => self::version( $after ), 'before' => $this->before, 'customer' => $customer, 'changed' => $changed );
	}

	/** The answer to a request that is in the table. Null: a plug-in has committed a part of it, and nobody knows which. */
	private function known( $row ) {
		if ( 'applied' === $row['state'] ) {
			$customer = $this->call( 'GET', $row['customer_id'] )[1]->customer ?? null;
			return array( 'result' => 'already_applied', 'changed' => array_filter( explode( ',', $row['changed'] ) ), 'customer' => $customer );
		}
		return 'cancelled' === $row['state'] ? array( 'result' => 'cancelled' ) : null;
	}

	/** Calls FluentCart as a request from outside would. Returns the status and the JSON. */
	private function call( $method, $id, $body = null ) {
		$request = new WP_REST_Request( $method, '/fluent-cart/v2/customers/' . $id );
		$request->set_header( 'Content-Type', 'application/json' );
		$body ? $request->set_body( wp_json_encode( $body ) ) : $request->set_query_params( array( 'params' => array( 'customer_only' => 'yes' ) ) );
		$response = rest_ensure_response( rest_do_request( $request ) );
		return array( $response->get_status(), json_decode( wp_json_encode( $response->get_data() ) ) );
	}

	private static function merge( $row, $set ) {
		if ( isset( $set['full_name'] ) && ! isset( $set['first_name'] ) && ! isset( $set['last_name'] ) && self::full_name( $row ) !== $set['full_name'] ) {
			$words             = explode( ' ', trim( $set['full_name'] ) );
			$set['last_name']  = count( $words ) > 1 ? array_pop( $words ) : '';
			$set['first_name'] = trim( implode( ' ', $words ) );
		}
		return array_intersect_key( $set, array_flip( self::changed( $row, $set + $row, self::COLUMNS ) ) ) + $row; // What is not changed keeps its NULL.
	}

	private function why_not( $merged, $body ) { // Returns why nothing is to be written, or null.
		$changed = self::changed( $this->before, $merged, self::COLUMNS );
		return key( array_filter( array(
			'if_match'  => isset( $body['if_match'] ) && ! in_array( self::version( $this->before ), $body['if_match'], true ),
			'unchanged' => ! $changed,
			'keep'      => (bool) array_intersect( $body['keep'] ?? array(), $changed ),
			'email'     => in_array( 'email', $changed, true ) && $this->before['user_id'] > 0 && '' !== (string) $this->before['email'], // FluentCart would ignore it.
			'encoding'  => false === json_encode( $merged ),
		) ) );
	}

	private static function full_name( $row ) {
		return trim( $row['first_name'] . ' ' . $row['last_name'] );
	}

	/** Returns those of the columns whose text differs: NULL is '', and 0 in user_id. */
	private static function changed( $a, $b, $columns ) {
		$text = static fn( $row, $column ) => 'user_id' === $column ? (string) (int) $row[ $column ] : (string) $row[ $column ];
		return array_values( array_filter( $columns, static fn( $column ) => $text( $a, $column ) !== $text( $b, $column ) ) );
	}

	private static function version( $row ) {
		$texts = array_map( static fn( $column ) => strlen( (string) $row[ $column ] ) . ':' . $row[ $column ] . "\n", array_diff( self::COLUMNS, array( 'user_id' ) ) );
		$text  = implode( '', $texts ) . (int) $row['user_id'] . "\n" . ( (int) $row['updated_at'] ? strtotime( $row['updated_at'] . ' UTC' ) : '' );
		return rtrim( strtr( base64_encode( substr( hash( 'sha256', $text, true ), 0, 16 ) ), '+/', '-_' ), '=' );
	}

	/** START TRANSACTION would not do: after a deadlock has ended it, each statement that follows would be committed by itself. */
	private function begin() {
		global $wpdb;
		$this->settings          = array( $wpdb->reconnect_retries, $wpdb->dbhost );
		$wpdb->reconnect_retries = 0; // $wpdb would repeat a statement on a new connection, outside of the transaction.
		$wpdb->dbhost            = 'localhost:/no-connection-during-a-transaction'; // For a plug-in that switches the retries on again.
		add_filter( 'query', array( $this, 'filter_query' ), PHP_INT_MAX );
		add_filter( 'pre_wp_mail', fn( $sent, $mail ) => $this->open ? (bool) array_push( $this->mails, $mail ) : $sent, PHP_INT_MIN, 2 );
		$this->open = true;
		$this->sql( 'SET autocommit=0' );
		$this->sql( 'SAVEPOINT fluentcart_gateway' );
	}

	/** Runs a statement, values quoted. Returns the first row it reads, the number it writes, or false for a key that is there already. */
	private function sql( $sql, ...$values ) {
		$values = array_map( fn( $value ) => null === $value ? 'NULL' : "'" . mysqli_real_escape_string( $this->link, $value ) . "'", $values );
		$this->note_error(); // That of the last statement of a plug-in.
		$result = $this->cause ? false : mysqli_query( $this->link, vsprintf( $sql, $values ) );
		if ( ! $result && ( $this->cause || 1062 !== mysqli_errno( $this->link ) ) ) {
			$this->cause = $this->cause ? $this->cause : self::ERRORS[ mysqli_errno( $this->link ) ] ?? 'database';
			throw new RuntimeException( 'The transaction cannot go on.' );
		}
		return true === $result ? mysqli_affected_rows( $this->link ) : ( $result ? mysqli_fetch_assoc( $result ) : false );
	}

	private function note_error() {
		$this->cause = $this->cause ? $this->cause : self::ERRORS[ mysqli_errno( $this->link ) ] ?? '';
	}

	/** Passes what cannot end the transaction. The transactions of plug-ins become savepoints. DDL, locks of tables and the unknown roll it back. */
	public function filter_query( $query ) {
		$this->note_error();
		$text  = rtrim( preg_replace( '~^(?:\s+|\(|/\*(?![!M]).*?\*/|(?:--\s|#)[^\n]*(?:\n|$))+~s', '', $query ), "; \t\r\n" );
		$set   = 'SET\s+(SESSION\s+|@@(SESSION\.)?)?autocommit\s*:?=\s*';
		$end   = '(\s+WORK)?(\s+AND\s+NO\s+CHAIN)?(\s+NO\s+RELEASE)?';
		$name  = 'SAVEPOINT fluentcart_gateway_hook';
		$began = $this->hook_began;
		$rules = array(
			"START\s+TRANSACTION\b.*|BEGIN(\s+WORK)?|$set(0|OFF|FALSE)" => $name,
			"ROLLBACK$end"                                            => $began ? "ROLLBACK TO $name" : 'DO 0',
			"COMMIT$end|$set(1|ON|TRUE)"                              => $began ? "RELEASE $name" : 'DO 0',
			'(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|VALUES|SHOW|DESC|DESCRIBE|EXPLAIN|DO|SAVEPOINT|RELEASE\s+SAVEPOINT|ROLLBACK\s+(WORK\s+)?TO|(CREATE|DROP)\s+TEMPORARY\s+TABLE)\b.*' => $query,
			'SET\b(?!.*\b(autocommit|transaction|completion_type|statement|password|role)\b).*' => $query,
		);
		foreach ( $this->cause || $GLOBALS['wpdb']->dbh !== $this->link ? array() : $rules as $rule => $statement ) {
			if ( preg_match( "/^($rule)$/is", $text ) ) {
				$this->hook_began = $query === $statement ? $began : $name === $statement;
				return $statement;
			}
		}
		$this->cause = $this->cause ? $this->cause : 'transaction';
		return 'DO 0'; // An empty statement would leave the rows of the one before to the plug-in.
	}

	/** Commits or rolls back, and answers if it is certain that this happened to all that was written since begin(). */
	private function finish( $answer ) {
		global $wpdb;
		$this->open = false;
		is_callable( 'ini_set' ) && ini_set( 'memory_limit', '-1' ); // A plug-in may have used it up.
		try {
			$this->note_error();
			$commit = $answer && 'applied' === $answer['result'] && ! $this->cause;
			$whole  = mysqli_query( $this->link, 'RELEASE SAVEPOINT fluentcart_gateway' ); // Fails if a plug-in has ended the transaction past $wpdb.
			$done   = mysqli_query( $this->link, $commit && $whole ? 'COMMIT' : 'ROLLBACK' );
			// After an error the database may have rolled back all. If it has not, a plug-in had committed before.
			$whole = $whole || in_array( $this->cause, self::ERRORS, true ) && ! mysqli_num_rows( mysqli_query( $this->link, "SELECT 1 FROM $this->requests WHERE request_id = '$this->request_id'" ) );
			if ( ! $whole ) { // It is not known what was written, so no later DELETE may answer "cancelled".
				mysqli_query( $this->link, "INSERT IGNORE INTO $this->requests (request_id, state, created_at) VALUES ('$this->request_id', 'pending', UTC_TIMESTAMP())" );
			}
			$certain = $done && mysqli_query( $this->link, 'SET autocommit=1' ) && $whole;
		} catch ( Throwable $lost ) {
			$certain = false;
		}
		remove_filter( 'query', array( $this, 'filter_query' ), PHP_INT_MAX );
		list( $wpdb->reconnect_retries, $wpdb->dbhost ) = $this->settings;
		$answer = $this->cause ? array( 'result' => 'failed', 'cause' => $this->cause ) : $answer;
		$this->send( $certain ? $answer : null );
		if ( ! $certain || ! $commit ) { // Object caches have what was rolled back: the account by its new slug and e-mail first, then by the stored ones.
			$user = (int) ( $this->before['user_id'] ?? 0 );
			array_map( 'clean_user_cache', array( $user, $user ) );
			wp_cache_delete( $user, 'user_meta' );
			wp_cache_delete( 'alloptions', 'options' );
			return;
		}
		remove_all_filters( 'wp_mail' ); // They have run once for each.
		foreach ( $this->mails as $mail ) {
			wp_mail( $mail['to'], $mail['subject'], $mail['message'], $mail['headers'], $mail['attachments'] );
		}
		foreach ( $wpdb->get_col( "SELECT request_id FROM $this->requests WHERE created_at < UTC_TIMESTAMP() - INTERVAL 1 DAY LIMIT 20" ) as $old ) { // A DELETE by time would wait for others.
			$wpdb->delete( $this->requests, array( 'request_id' => $old ) );
		}
	}

	private function send( $answer ) { // Sends an answer, or an error without the mark for null.
		$mark = array( 'fluentcart_gateway' => 1, 'request_id' => $this->request_id );
		$json = json_encode( $answer ? $mark + $answer : array( 'code' => 'fluentcart_gateway_unknown' ), JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
		for ( $level = ob_get_level(); $level > 0; $level-- ) {
			@ob_end_clean(); // One that cannot be removed stays.
		}
		if ( ! headers_sent() ) {
			header_remove();
			header( wp_get_server_protocol() . ( $answer ? ' 200 OK' : ' 500 Internal Server Error' ) );
			nocache_headers();
			header( 'Content-Type: application/json; charset=UTF-8' );
			ob_get_level() || header( 'Content-Length: ' . strlen( $json ) ); // So that the client need not wait for what follows.
		}
		echo $json;
		flush();
		is_callable( 'fastcgi_finish_request' ) && fastcgi_finish_request();
		ob_start( '__return_empty_string', 4096 );
	}
}

add_action( 'rest_api_init', array( 'FluentCart_Gateway_Companion', 'register' ) );
add_filter( 'rest_namespace_index', array( 'FluentCart_Gateway_Companion', 'index' ), PHP_INT_MAX, 2 );
register_activation_hook( __FILE__, array( 'FluentCart_Gateway_Companion', 'install' ) );
endif;
