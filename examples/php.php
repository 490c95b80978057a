<?php
// Reads and updates customers over JSON, with PHP's curl extension (PHP 8):
//
//   GATEWAY_URL=http://127.0.0.1:8080 GATEWAY_TOKEN= php php.php

// GatewayError says what a failed call means for the write. An answer that the gateway did not write (a proxy's page), or none (the
// connection broke, the time is over), says nothing about it.
class GatewayError extends Exception
{
    public string $reason = 'no answer of the gateway';
    public bool $nothingWritten = false;
    public array $violations = [];

    public function __construct(mixed $answer, string $message = '')
    {
        parent::__construct($answer['message'] ?? $message);
        foreach ($answer['details'] ?? [] as $detail) {
            if (str_ends_with($detail['@type'], '/google.rpc.ErrorInfo')) {
                $this->reason = $detail['reason'];
                $this->nothingWritten = in_array($detail['metadata']['write_state'], ['not_sent', 'rejected'], true);
            }
            foreach ($detail['fieldViolations'] ?? [] as $violation) {
                $this->violations[] = "{$violation['field']}: {$violation['description']}";
            }
        }
    }

    public function __toString(): string
    {
        $outcome = $this->nothingWritten ? 'nothing was written' : 'unknown: read the customer before you send the update again';
        return implode('; ', ["$this->reason, $outcome", ...$this->violations]);
    }
}

function call(string $method, string $path, ?array $body = null, array $headers = []): array
{
    // The gateway gets less time than curl, so that its answer, which says whether something was written, still arrives.
    $headers = [...$headers, 'Content-Type: application/json', 'Grpc-Timeout: 20S'];
    if ($token = getenv('GATEWAY_TOKEN')) {
        $headers[] = "Authorization: Bearer $token";
    }
    $request = curl_init((getenv('GATEWAY_URL') ?: 'http://127.0.0.1:8080') . $path);
    curl_setopt_array($request, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 25,
        // With --caller-auth=store: CURLOPT_USERPWD => "$username:$applicationPassword",
    ]);
    if ($body !== null) {
        curl_setopt($request, CURLOPT_POSTFIELDS, json_encode($body, JSON_THROW_ON_ERROR));
    }
    $content = curl_exec($request);
    $answer = is_string($content) ? json_decode($content, true) : null;
    if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) >= 400 || !is_array($answer)) {
        throw new GatewayError($answer, curl_error($request));
    }
    return $answer;
}

// The call that FluentCart documents, with its nine fields. Only the host is another one.
$documented = call('PUT', '/wp-json/fluent-cart/v2/customers/1', [
    'email' => 'customer@example.com', 'full_name' => 'John Doe', 'city' => 'Paris', 'status' => 'active', 'notes' => 'prefers email',
    'country' => 'FR', 'state' => 'IDF', 'postcode' => '75001', 'user_id' => 0,
]);
echo "documented call: {$documented['message']}\n";

$customer = call('GET', '/v1/customers/1')['customer'];
echo "read: {$customer['full_name']}, {$customer['city']}\n";

// Only the fields in the body change. "" or null clears a field.
$partial = call('PATCH', '/v1/customers/1', ['city' => 'Lyon']);
echo 'partial update: changed ' . implode(', ', $partial['changed_fields']) . "; the notes stay: {$partial['data']['notes']}\n";

// A dry run reads, checks and answers, and writes nothing.
$dryRun = call('PATCH', '/v1/customers/1?validate_only=true', ['postcode' => '69001']);
echo 'dry run: would change ' . implode(', ', $dryRun['changed_fields']) . "\n";

// With an etag the update is written only if nobody has changed the customer since it was read.
$unchanged = ["If-Match: \"{$partial['data']['etag']}\""];
$updated = call('PATCH', '/v1/customers/1', ['notes' => 'prefers phone'], $unchanged);
echo 'with the etag: changed ' . implode(', ', $updated['changed_fields']) . "\n";

foreach ([
    'with the old etag' => fn () => call('PATCH', '/v1/customers/1', ['notes' => 'prefers letters'], $unchanged),
    'a city that is too long' => fn () => call('PATCH', '/v1/customers/1', ['city' => str_repeat('x', 46)]),
    // Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
    'a linked user that is gone' => fn () => call('PATCH', '/v1/customers/3', ['city' => 'Lyon']),
] as $what => $attempt) {
    try {
        $attempt();
    } catch (GatewayError $error) {
        echo "$what: $error\n";
    }
}
