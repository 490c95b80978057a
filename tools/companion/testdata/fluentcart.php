<?php
/**
 * Plugin Name: Stub of FluentCart
 *
 * The customers of FluentCart 1.5.2, as far as an update of one goes. F1 to F14 are facts that were measured on a real store.
 */

namespace FluentCart\App\Services\Permission {
	class PermissionManager {
		public static function hasPermission( $permissions ) {
			return current_user_can( 'manage_options' );
		}
	}
}

namespace FluentCart\Stub {
	const FIELDS = array( 'email', 'full_name', 'city', 'state', 'country', 'postcode', 'status', 'notes', 'user_id', 'aov' );

	/** The request object of FluentCart's framework: it has the outer request's query and body before those of the REST request. */
	class Request {
		public static $inputs = array();

		public static function boot() {
			self::$inputs = $_GET + $_POST + (array) json_decode( file_get_contents( 'php://input' ), true );
		}

		public static function merge( $request ) {
			self::$inputs = array_replace( self::$inputs, $request->get_params() );
		}
	}

	function table() {
		return $GLOBALS['wpdb']->base_prefix . 'fct_customers';
	}

	function find( $id ) {
		global $wpdb;
		return $wpdb->get_row( $wpdb->prepare( 'SELECT * FROM ' . table() . ' WHERE id = %d', $id ), ARRAY_A );
	}

	function present( $row ) {
		foreach ( array( 'created_at', 'updated_at' ) as $column ) {
			$row[ $column ] = gmdate( 'c', strtotime( $row[ $column ] . ' UTC' ) );
		}
		$row['id']             = (int) $row['id']; // F14
		$row['purchase_value'] = json_decode( (string) $row['purchase_value'], true );
		$row['full_name']      = trim( $row['first_name'] . ' ' . $row['last_name'] );
		$row['country_name']   = (string) $row['country'];
		$row['photo']          = get_avatar_url( $row['email'] );
		$row['user_link']      = $row['user_id'] ? admin_url( 'user-edit.php?user_id=' . $row['user_id'] ) : '';
		return $row;
	}

	function get( $request ) {
		Request::merge( $request );
		$row = find( $request->get_url_params()['id'] );
		if ( ! $row ) { // F6
			return new \WP_REST_Response( array( 'code' => 'fluent_cart_entity_not_found', 'data' => array( 'message' => 'Customer not found' ) ), 404 );
		}
		return array( 'customer' => present( $row ) );
	}

	function validate( $in ) { // F5, F10
		global $wpdb;
		$errors = array();
		foreach ( array( 'full_name', 'city' ) as $field ) {
			if ( sanitize_text_field( $in[ $field ] ) !== trim( (string) $in[ $field ] ) ) {
				$errors[ $field ]['sanitizeText'] = "The $field must be a valid text";
			}
		}
		if ( '' === trim( (string) $in['full_name'] ) ) {
			$errors['full_name']['required'] = 'Full Name is required.';
		}
		if ( mb_strlen( (string) $in['full_name'] ) > 255 ) {
			$errors['full_name']['maxLength'] = 'The full_name must not be greater than 255 characters.';
		}
		if ( ! is_email( (string) $in['email'] ) ) {
			$errors['email']['email'] = 'Email must be a valid email address.';
		} elseif ( $wpdb->get_var( $wpdb->prepare( 'SELECT id FROM ' . table() . ' WHERE email = %s AND id <> %d', $in['email'], $in['id'] ) ) ) { // F3
			$errors['email']['exist'] = 'Email already exists.';
		}
		return $errors;
	}

	function failure( $code, $message ) { // F1
		return new \WP_REST_Response( array( 'code' => $code, 'message' => $message, 'data' => null ), 500 );
	}

	function put( $request ) {
		global $wpdb;
		Request::merge( $request );
		$in     = Request::$inputs + array_fill_keys( FIELDS, null ) + array( 'id' => 0 ); // F2: what is left out is cleared
		$errors = validate( $in );
		if ( $errors ) {
			return new \WP_REST_Response( $errors, 422 );
		}
		$row = find( $request->get_url_params()['id'] );
		if ( ! $row ) { // F6
			return failure( 400, 'Customer not found, please reload the page and try again!' );
		}
		$words   = explode( ' ', trim( $in['full_name'] ) ); // F11
		$last    = count( $words ) > 1 ? array_pop( $words ) : '';
		$columns = array( 'email' => trim( $in['email'] ), 'first_name' => trim( implode( ' ', $words ) ), 'last_name' => $last, 'aov' => $in['aov'] );
		foreach ( array( 'city', 'state', 'country', 'postcode', 'status' ) as $field ) { // F9, F10
			$columns[ $field ] = isset( $in[ $field ] ) ? mb_substr( sanitize_text_field( $in[ $field ] ), 0, 45 ) : null;
		}
		$columns['notes']   = sanitize_text_field( (string) $in['notes'] );
		$columns['user_id'] = isset( $in['user_id'] ) ? (int) $in['user_id'] : null; // F12
		if ( (int) $row['user_id'] ) {
			$columns['email'] = $row['email']; // F7
			$user             = array(
				'ID'           => (int) $row['user_id'],
				'display_name' => $in['full_name'],
				'first_name'   => $columns['first_name'],
				'last_name'    => $last,
				'user_email'   => $row['email'], // F27
			);
			if ( is_wp_error( wp_update_user( $user ) ) ) { // F8
				return failure( 423, 'Failed to update user.' );
			}
		}
		do_action( 'fluent_cart/customer_updating', $row );
		if ( array_diff_assoc( $columns, $row ) || array_diff_assoc( array_intersect_key( $row, $columns ), $columns ) ) {
			$columns['updated_at'] = gmdate( 'Y-m-d H:i:s' );
			$wpdb->update( table(), $columns, array( 'id' => $row['id'] ) );
		}
		do_action( 'fluent_cart/customer_updated', $row );
		return array( 'message' => 'Customer updated successfully!', 'data' => present( array_replace( $row, $columns ) ) );
	}

	define( 'FLUENTCART_VERSION', '1.5.2' );
	add_action( 'plugins_loaded', array( Request::class, 'boot' ) );
	add_action( 'rest_api_init', function () {
		$permission = function () {
			return \FluentCart\App\Services\Permission\PermissionManager::hasPermission( array( 'customers/manage' ) );
		};
		$route      = '/customers/(?P<id>[0-9]+)';
		register_rest_route( 'fluent-cart/v2', $route, array( 'methods' => 'GET', 'callback' => __NAMESPACE__ . '\get', 'permission_callback' => $permission ) );
		register_rest_route( 'fluent-cart/v2', $route, array( 'methods' => 'PUT', 'callback' => __NAMESPACE__ . '\put', 'permission_callback' => $permission ) );
	} );
}
