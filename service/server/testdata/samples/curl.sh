curl 'https://{website}/wp-json/fluent-cart/v2/customers/{customerId}' \
  --request PUT \
  --header 'Authorization: Authorization' \
  --header 'Content-Type: application/json' \
  --data '{
  "email": "customer@example.com",
  "full_name": "John Doe Updated",
  "city": "string",
  "status": "string",
  "notes": "string",
  "country": "string",
  "state": "string",
  "postcode": "string",
  "user_id": 0
}'
