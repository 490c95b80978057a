// Reads and updates customers over JSON, with axios:
//
//   npm install && GATEWAY_URL=http://127.0.0.1:8080 node axios.mjs
import axios from "axios";

const gateway = axios.create({
  baseURL: process.env.GATEWAY_URL ?? "http://127.0.0.1:8080",
  timeout: 30_000,
  proxy: false,
  // Where callers authenticate: headers: { authorization: `Bearer ${token}` }, or with --caller-auth=store
  // auth: { username, password: applicationPassword }.
});

// failure says what an error means for the write. Without a response (the connection broke, the time is over), the outcome of
// an update is unknown.
function failure(error) {
  const details = error.response?.data?.details ?? [];
  const info = details.find((detail) => detail["@type"].endsWith("/google.rpc.ErrorInfo"));
  const nothingWritten = ["not_sent", "rejected"].includes(info?.metadata.write_state);
  const outcome = nothingWritten ? "nothing was written" : "unknown: read the customer before you send the update again";
  const violations = details.flatMap((detail) => detail.fieldViolations ?? []).map(({ field, description }) => `${field}: ${description}`);
  return [`${info?.reason ?? error.code}, ${outcome}`, ...violations].join("; ");
}

// The call that FluentCart documents, with its nine fields. Only the host is another one.
const documented = await gateway.put("/wp-json/fluent-cart/v2/customers/1", {
  email: "customer@example.com", full_name: "John Doe", city: "Paris", status: "active", notes: "prefers email",
  country: "FR", state: "IDF", postcode: "75001", user_id: 0,
});
console.log(`documented call: ${documented.data.message}`);

const read = await gateway.get("/v1/customers/1");
console.log(`read: ${read.data.customer.full_name}, ${read.data.customer.city}`);

// Only the fields in the body change. "" or null clears a field.
const partial = await gateway.patch("/v1/customers/1", { city: "Lyon" });
console.log(`partial update: changed ${partial.data.changed_fields}; the notes stay: ${partial.data.data.notes}`);

// A dry run reads, checks and answers, and writes nothing.
const dryRun = await gateway.patch("/v1/customers/1", { postcode: "69001" }, { params: { validate_only: true } });
console.log(`dry run: would change ${dryRun.data.changed_fields}`);

// With an etag the update is written only if nobody has changed the customer since it was read.
const unchanged = { headers: { "if-match": partial.headers.etag } };
const updated = await gateway.patch("/v1/customers/1", { notes: "prefers phone" }, unchanged);
console.log(`with the etag: changed ${updated.data.changed_fields}`);

for (const [what, attempt] of [
  ["with the old etag", () => gateway.patch("/v1/customers/1", { notes: "prefers letters" }, unchanged)],
  ["a city that is too long", () => gateway.patch("/v1/customers/1", { city: "x".repeat(46) })],
  // Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
  ["a linked user that is gone", () => gateway.patch("/v1/customers/3", { city: "Lyon" })],
]) {
  await attempt().catch((error) => console.log(`${what}: ${failure(error)}`));
}
