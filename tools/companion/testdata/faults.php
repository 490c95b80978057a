<?php
/**
 * Plugin Name: Faults
 *
 * Does what the header X-Fault names, as another plug-in might, at the point of an update that X-Point names:
 *
 *   load      WordPress has loaded its plug-ins
 *   before    FluentCart is about to write the row
 *   after     FluentCart has written it
 *   commit    FluentCart has answered, and the companion will commit next
 */

namespace Faults;

require __DIR__ . '/../../fault_functions.php';

function header_of( $name ) {
	$key = 'HTTP_' . strtoupper( strtr( $name, '-', '_' ) );
	return isset( $_SERVER[ $key ] ) ? preg_replace( '/[^\w-]/', '', $_SERVER[ $key ] ) : '';
}

/** Runs the fault, and leaves a file by which the test sees that it ran. */
function at( $point ) {
	$fault = header_of( 'X-Fault' );
	if ( '' === $fault || header_of( 'X-Point' ) !== $point ) {
		return;
	}
	unset( $_SERVER['HTTP_X_FAULT'] ); // Once, also if the fault makes another update.
	touch( getenv( 'COMPANION_DIRECTORY' ) . '/ran-' . header_of( 'X-Gate' ) );
	call_user_func( all()[ $fault ] );
}

if ( header_of( 'X-Gate' ) ) {
	$GLOBALS['wpdb']->query( "DO 'gate: " . header_of( 'X-Gate' ) . "'" );
}
if ( header_of( 'X-Cache' ) ) { // An object cache that outlives the request, as one in Redis does.
	$file = getenv( 'COMPANION_DIRECTORY' ) . '/cache';
	if ( file_exists( $file ) ) {
		$GLOBALS['wp_object_cache']->cache = unserialize( file_get_contents( $file ) );
	}
	register_shutdown_function( 'register_shutdown_function', function () use ( $file ) { // As the last one.
		file_put_contents( $file, serialize( $GLOBALS['wp_object_cache']->cache ) );
	} );
}
add_action( 'plugins_loaded', function () {
	if ( preg_match( '/^(deadlock|lock-wait)/', header_of( 'X-Fault' ) ) ) {
		make_table();
	}
	at( 'load' );
} );
add_action( 'fluent_cart/customer_updating', function () {
	at( 'before' );
} );
add_action( 'fluent_cart/customer_updated', function () {
	at( 'after' );
} );
add_filter( 'rest_request_after_callbacks', function ( $response, $handler, $request ) {
	if ( 'PUT' === $request->get_method() ) {
		at( 'commit' );
	}
	return $response;
}, 10, 3 );

// Mails are files: one for each, named after the request.
add_action( 'phpmailer_init', function ( $mailer ) {
	file_put_contents( getenv( 'COMPANION_DIRECTORY' ) . '/mail-' . header_of( 'X-Gate' ), $mailer->Subject . "\n", FILE_APPEND );
	$mailer->clearAllRecipients(); // Nothing is sent.
} );
