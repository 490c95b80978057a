// Reads and updates customers over gRPC, with @grpc/grpc-js and @grpc/proto-loader:
//
//   make -C .. protos && npm install && GATEWAY_ADDR=127.0.0.1:9090 GATEWAY_TOKEN= node node-grpc.mjs
import fs from "node:fs";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const protos = process.env.PROTOS ?? "../bin/fluentcart-gateway-protos";
const api = loadSync(
  ["fluentcart/customer/v1/customer_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"],
  { includeDirs: [protos], keepCase: true, longs: String },
);
const { CustomerService } = grpc.loadPackageDefinition(api).fluentcart.customer.v1;
// With TLS: grpc.credentials.createSsl().
const client = new CustomerService(process.env.GATEWAY_ADDR ?? "127.0.0.1:9090", grpc.credentials.createInsecure(), {
  "grpc.service_config": fs.readFileSync(new URL("../client/service-config.json", import.meta.url), "utf8"),
});
const metadata = new grpc.Metadata();
if (process.env.GATEWAY_TOKEN) metadata.set("authorization", `Bearer ${process.env.GATEWAY_TOKEN}`);

const call = (method, request) =>
  new Promise((resolve, reject) => {
    client[method](request, metadata, { deadline: Date.now() + 30_000 }, (error, response) => (error ? reject(error) : resolve(response)));
  });
const update = (id, customer, more = {}) => call("UpdateCustomer", { customer_id: id, customer, ...more });

// failure says what an error means for the write. An error without ErrorInfo (the connection broke, the time is over) says
// nothing about it.
function failure(error) {
  const [encoded] = error.metadata.get("grpc-status-details-bin");
  const details = encoded ? api["google.rpc.Status"].deserialize(encoded).details : [];
  const detail = (name) => {
    const packed = details.find(({ type_url }) => type_url.endsWith(`/google.rpc.${name}`));
    return packed && api[`google.rpc.${name}`].deserialize(packed.value);
  };
  const info = detail("ErrorInfo");
  const nothingWritten = ["not_sent", "rejected"].includes(info?.metadata.write_state);
  const outcome = nothingWritten ? "nothing was written" : "unknown: read the customer before you send the update again";
  const violations = (detail("BadRequest")?.field_violations ?? []).map(({ field, description }) => `${field}: ${description}`);
  return [`${info?.reason ?? "no answer of the gateway"}, ${outcome}`, ...violations].join("; ");
}

// The call that FluentCart documents, with its nine fields.
const documented = await update(1, {
  email: "customer@example.com", full_name: "John Doe", city: "Paris", status: "active", notes: "prefers email",
  country: "FR", state: "IDF", postcode: "75001", user_id: 0,
});
console.log(`documented call: ${documented.message}`);

const { customer } = await call("GetCustomer", { customer_id: 1 });
console.log(`read: ${customer.full_name}, ${customer.city}`);

// Only the fields that are set change. "" clears a field.
const partial = await update(1, { city: "Lyon" });
console.log(`partial update: changed ${partial.changed_fields}; the notes stay: ${partial.customer.notes}`);

// A dry run reads, checks and answers, and writes nothing.
const dryRun = await update(1, { postcode: "69001" }, { validate_only: true });
console.log(`dry run: would change ${dryRun.changed_fields}`);

// With an etag the update is written only if nobody has changed the customer since it was read.
const { etag } = partial.customer;
const updated = await update(1, { notes: "prefers phone" }, { etag });
console.log(`with the etag: changed ${updated.changed_fields}`);

for (const [what, attempt] of [
  ["with the old etag", () => update(1, { notes: "prefers letters" }, { etag })],
  ["a city that is too long", () => update(1, { city: "x".repeat(46) })],
  // Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
  ["a linked user that is gone", () => update(3, { city: "Lyon" })],
]) {
  await attempt().catch((error) => console.log(`${what}: ${failure(error)}`));
}
client.close();
