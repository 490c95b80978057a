// Reads and updates customers over JSON, with the fetch of Node (18 or newer):
//
//   GATEWAY_URL=http://127.0.0.1:8080 GATEWAY_TOKEN= node fetch.mjs
const url = process.env.GATEWAY_URL ?? "http://127.0.0.1:8080";
const token = process.env.GATEWAY_TOKEN;

// The gateway gets less time than fetch, so that its answer, which says whether something was written, still arrives.
const headers = { "content-type": "application/json", "grpc-timeout": "20S" };
// With --caller-auth=store: `Basic ${Buffer.from(`${username}:${applicationPassword}`).toString("base64")}`.
if (token) headers.authorization = `Bearer ${token}`;

// GatewayError says what a failed call means for the write. An answer that the gateway did not write (a proxy's page), or none
// (the connection broke, the time is over), says nothing about it.
class GatewayError extends Error {
  constructor(answer, cause) {
    super(answer?.message ?? "no answer of the gateway", { cause });
    const details = answer?.details ?? [];
    const info = details.find((detail) => detail["@type"].endsWith("/google.rpc.ErrorInfo"));
    this.reason = info?.reason ?? "no answer of the gateway";
    this.nothingWritten = ["not_sent", "rejected"].includes(info?.metadata.write_state);
    this.violations = details.flatMap((detail) => detail.fieldViolations ?? []);
  }

  toString() {
    const outcome = this.nothingWritten ? "nothing was written" : "unknown: read the customer before you send the update again";
    return [`${this.reason}, ${outcome}`, ...this.violations.map(({ field, description }) => `${field}: ${description}`)].join("; ");
  }
}

async function call(method, path, body, more = {}) {
  let response, answer;
  try {
    response = await fetch(url + path, {
      method,
      headers: { ...headers, ...more },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(25_000),
    });
    answer = await response.json();
  } catch (cause) {
    throw new GatewayError(undefined, cause);
  }
  if (!response.ok) throw new GatewayError(answer);
  return answer;
}

// The call that FluentCart documents, with its nine fields. Only the host is another one.
const documented = await call("PUT", "/wp-json/fluent-cart/v2/customers/1", {
  email: "customer@example.com", full_name: "John Doe", city: "Paris", status: "active", notes: "prefers email",
  country: "FR", state: "IDF", postcode: "75001", user_id: 0,
});
console.log(`documented call: ${documented.message}`);

const { customer } = await call("GET", "/v1/customers/1");
console.log(`read: ${customer.full_name}, ${customer.city}`);

// Only the fields in the body change. "" or null clears a field.
const partial = await call("PATCH", "/v1/customers/1", { city: "Lyon" });
console.log(`partial update: changed ${partial.changed_fields}; the notes stay: ${partial.data.notes}`);

// A dry run reads, checks and answers, and writes nothing.
const dryRun = await call("PATCH", "/v1/customers/1?validate_only=true", { postcode: "69001" });
console.log(`dry run: would change ${dryRun.changed_fields}`);

// With an etag the update is written only if nobody has changed the customer since it was read.
const { etag } = partial.data;
const updated = await call("PATCH", "/v1/customers/1", { notes: "prefers phone" }, { "if-match": `"${etag}"` });
console.log(`with the etag: changed ${updated.changed_fields}`);

for (const [what, attempt] of [
  ["with the old etag", () => call("PATCH", "/v1/customers/1", { notes: "prefers letters" }, { "if-match": `"${etag}"` })],
  ["a city that is too long", () => call("PATCH", "/v1/customers/1", { city: "x".repeat(46) })],
  // Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
  ["a linked user that is gone", () => call("PATCH", "/v1/customers/3", { city: "Lyon" })],
]) {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    console.log(`${what}: ${error}`);
  }
}
