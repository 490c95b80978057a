$ch = curl_init("https://{website}/wp-json/fluent-cart/v2/customers/{customerId}");

curl_setopt($ch, CURLOPT_HTTPHEADER, ['Authorization: Authorization', 'Content-Type: application/json']);
curl_setopt($ch, CURLOPT_POSTFIELDS, json_encode([
  'email' => 'customer@example.com',
  'full_name' => 'John Doe Updated',
  'city' => 'string',
  'status' => 'string',
  'notes' => 'string',
  'country' => 'string',
  'state' => 'string',
  'postcode' => 'string',
  'user_id' => 0
]));

curl_exec($ch);

curl_close($ch);
