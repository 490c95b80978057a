requests.put(
    "https://{website}/wp-json/fluent-cart/v2/customers/{customerId}",
    headers={
      "Authorization": "Authorization",
      "Content-Type": "application/json"
    },
    json={
      "email": "customer@example.com",
      "full_name": "John Doe Updated",
      "city": "string",
      "status": "string",
      "notes": "string",
      "country": "string",
      "state": "string",
      "postcode": "string",
      "user_id": 0
    }
)
