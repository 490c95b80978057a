<?php
// The router of PHP's built-in server: all paths are WordPress's, but /sql, which runs the statements of a test.
if ( '/sql' === $_SERVER['REQUEST_URI'] ) {
	$link = new mysqli( 'localhost', 'root', '', 'wordpress', 0, getenv( 'COMPANION_DIRECTORY' ) . '/mariadb.sock' );
	$link->set_charset( 'utf8mb4' );
	$result = $link->query( file_get_contents( 'php://input' ) );
	header( 'Content-Type: application/json' );
	echo json_encode( $result instanceof mysqli_result ? $result->fetch_all( MYSQLI_ASSOC ) : array() );
	return;
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['PHP_SELF']    = '/index.php';
unset( $_SERVER['PATH_INFO'] );
require __DIR__ . '/config.php';
wp();
require ABSPATH . WPINC . '/template-loader.php';
