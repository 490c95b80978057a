// Reads and updates customers over JSON, with axios:
//
//   npm install && GATEWAY_URL=http://127.0.0.1:8080 GATEWAY_TOKEN= node axios.mjs
import axios from "axios";

const { GATEWAY_URL: baseURL = "http://127.0.0.1:8080", GATEWAY_TOKEN: token } = process.env;

const gateway = axios.create({
  baseURL,
  // With --caller-auth=store: auth: { username, password: applicationPassword }.
  headers: { "grpc-timeout": "20S", ...(token && { authorization: `Bearer ${token}` }) },
  timeout: 25_000, // more than the gateway gets, so that its answer, which says whether something was written, still arrives
  proxy: false,
  responseType: "json",
  transitional: { silentJSONParsing: false }, // a proxy's page is an error, also with status 200
});

// GatewayError says what a failed call means for the write. An answer that the gateway did not write (a proxy's page), or none (the
// connection broke, the time is over), says nothing about it. It does not hold axios's error, which has the token and the customer.
class GatewayError extends Error {
  constructor({ message, response }) {
    super(response?.data?.message ?? message);
    const details = response?.data?.details ?? [];
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

gateway.interceptors.response.use(undefined, (error) => {
  throw new GatewayError(error);
});

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
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    console.log(`${what}: ${error}`);
  }
}
