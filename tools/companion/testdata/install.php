<?php
// Installs WordPress, with the customers of the fixture, and prints an application password of its administrator.
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = 'localhost';
function wp_new_blog_notification() {} // no mail
require __DIR__ . '/config.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
$url = getenv( 'COMPANION_URL' );
wp_install( 'Store', 'admin', 'admin@example.com', true, '', 'password' );
update_option( 'siteurl', $url );
update_option( 'home', $url );
update_option( 'permalink_structure', '/%postname%/' );
$wpdb->query( "CREATE TABLE {$wpdb->prefix}fct_customers (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NULL, contact_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
	email VARCHAR(192) NOT NULL DEFAULT '', first_name VARCHAR(192) NOT NULL DEFAULT '', last_name VARCHAR(192) NOT NULL DEFAULT '',
	status VARCHAR(45) NULL DEFAULT 'active', purchase_value LONGTEXT NULL, purchase_count BIGINT UNSIGNED NOT NULL DEFAULT 0, ltv BIGINT NOT NULL DEFAULT 0,
	first_purchase_date DATETIME NULL, last_purchase_date DATETIME NULL, aov DECIMAL(18,2) NULL, notes LONGTEXT NOT NULL, uuid VARCHAR(100) NULL DEFAULT '',
	country VARCHAR(45) NULL, city VARCHAR(45) NULL, state VARCHAR(45) NULL, postcode VARCHAR(45) NULL, created_at DATETIME NULL, updated_at DATETIME NULL,
	KEY email (email), KEY user_id (user_id)) ENGINE=InnoDB {$wpdb->get_charset_collate()}" );
$fixture = json_decode( file_get_contents( __DIR__ . '/fixture.json' ), true )['customers'];
foreach ( array( 2 => 'bob', 3 => 'sub' ) as $login ) {
	wp_insert_user( array( 'user_login' => $login, 'user_email' => $login . '@example.com', 'user_pass' => 'password', 'role' => 'subscriber' ) );
}
foreach ( $fixture as $row ) {
	$row['purchase_value'] = null === $row['purchase_value'] ? null : wp_json_encode( $row['purchase_value'] );
	$wpdb->insert( $wpdb->prefix . 'fct_customers', $row );
}
$wpdb->query( 'CREATE TABLE wp_myisam (id INT) ENGINE=MyISAM' );
$accounts = array();
foreach ( array( 1 => 'admin', 3 => 'sub' ) as $id => $login ) {
	list( $accounts[ $login ] ) = WP_Application_Passwords::create_new_application_password( $id, array( 'name' => 'gateway' ) );
}
if ( file_exists( WP_PLUGIN_DIR . '/fluentcart-gateway.php' ) ) {
	$error = activate_plugin( 'fluentcart-gateway.php' );
	if ( is_wp_error( $error ) ) {
		fwrite( STDERR, $error->get_error_message() );
		exit( 1 );
	}
}
flush_rewrite_rules();
echo "\n", wp_json_encode( $accounts );
