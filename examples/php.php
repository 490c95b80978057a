<?php
// Reads and updates customers over JSON, with PHP's curl extension (PHP 8):
//
//   GATEWAY_URL=http://127.0.0.1:8080 php php.php

// GatewayError says what an error means for the write.
class GatewayError extends Exception
{
    public readonly string $reason;
    public readonly bool $nothingWritten;
    public readonly array $violations;

    public function __construct(array $status)
    {
        parent::__construct($status['message']);
        $violations = [];
        foreach ($status['details'] as $detail) {
            if (str_ends_with($detail['@type'], '/google.rpc.ErrorInfo')) {
                $this->reason = $detail['reason'];
                $this->nothingWritten = in_array($detail['metadata']['write_state'], ['not_sent', 'rejected'], true);
            }
            foreach ($detail['fieldViolations'] ?? [] as $violation) {
                $violations[] = "{$violation['field']}: {$violation['description']}";
            }
        }
        $this->violations = $violations;
    }

    public function __toString(): string
    {
        $outcome = $this->nothingWritten ? 'nothing was written' : 'unknown: read the customer before you send the update again';
        return implode('; ', ["$this->reason, $outcome", ...$this->violations]);
    }
}

function call(string $method, string $path, ?array $body = null, array $headers = []): array
{
    $request = curl_init((getenv('GATEWAY_URL') ?: 'http://127.0.0.1:8080') . $path);
    curl_setopt_array($request, [
        CURLOPT_CUSTOMREQUEST => $method,
        // Where callers authenticate: "Authorization: Bearer $token" here, or with --caller-auth=store
        // CURLOPT_USERPWD => "$username:$applicationPassword".
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', ...$headers],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
    ]);
    if ($body !== null) {
        curl_setopt($request, CURLOPT_POSTFIELDS, json_encode($body, JSON_THROW_ON_ERROR));
    }
    $content = curl_exec($request);
    if ($content === false) { // the connection broke, or the time is over: the outcome of an update is unknown
        throw new RuntimeException(curl_error($request));
    }
    $answer = json_decode($content, true, flags: JSON_THROW_ON_ERROR);
    if (curl_getinfo($request, CURLINFO_RESPONSE_CODE) >= 400) {
        throw new GatewayError($answer);
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
