"""Reads and updates customers over gRPC, with the stubs that docs/clients.md shows how to generate:

    GATEWAY_ADDR=127.0.0.1:9090 GATEWAY_TOKEN= PYTHONPATH=generated python3 python_grpc.py
"""

import os
import pathlib

import grpc
from fluentcart.customer.v1 import customer_service_pb2, customer_service_pb2_grpc
from google.rpc import error_details_pb2, status_pb2

service_config = pathlib.Path(__file__).parent.parent / "client" / "service-config.json"
token = os.environ.get("GATEWAY_TOKEN")
arguments = {"timeout": 30, "metadata": [("authorization", f"Bearer {token}")] if token else None}  # of every call
# With TLS: grpc.secure_channel(address, grpc.ssl_channel_credentials(), options).
channel = grpc.insecure_channel(
    os.environ.get("GATEWAY_ADDR", "127.0.0.1:9090"),
    options=[("grpc.service_config", service_config.read_text())],
)
customers = customer_service_pb2_grpc.CustomerServiceStub(channel)


def update(customer_id, customer, **more):
    request = customer_service_pb2.UpdateCustomerRequest(customer_id=customer_id, customer=customer, **more)
    return customers.UpdateCustomer(request, **arguments)


def failure(error):
    """Says what an error means for the write. One without ErrorInfo (the connection broke, the time is over) says nothing."""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info) or detail.Unpack(request)
    nothing_written = info.metadata["write_state"] in ("not_sent", "rejected")
    outcome = "nothing was written" if nothing_written else "unknown: read the customer before you send the update again"
    violations = (f"{violation.field}: {violation.description}" for violation in request.field_violations)
    return "; ".join([f"{info.reason or 'no answer of the gateway'}, {outcome}", *violations])


# The call that FluentCart documents, with its nine fields.
documented = update(1, {
    "email": "customer@example.com", "full_name": "John Doe", "city": "Paris", "status": "active", "notes": "prefers email",
    "country": "FR", "state": "IDF", "postcode": "75001", "user_id": 0,
})
print("documented call:", documented.message)

customer = customers.GetCustomer(customer_service_pb2.GetCustomerRequest(customer_id=1), **arguments).customer
print(f"read: {customer.full_name}, {customer.city}")

# Only the fields that are set change. "" clears a field.
partial = update(1, {"city": "Lyon"})
print(f"partial update: changed {', '.join(partial.changed_fields)}; the notes stay: {partial.customer.notes}")

# A dry run reads, checks and answers, and writes nothing.
dry_run = update(1, {"postcode": "69001"}, validate_only=True)
print("dry run: would change", ", ".join(dry_run.changed_fields))

# With an etag the update is written only if nobody has changed the customer since it was read.
etag = partial.customer.etag
updated = update(1, {"notes": "prefers phone"}, etag=etag)
print("with the etag: changed", ", ".join(updated.changed_fields))

for what, attempt in {
    "with the old etag": lambda: update(1, {"notes": "prefers letters"}, etag=etag),
    "a city that is too long": lambda: update(1, {"city": "x" * 46}),
    # Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
    "a linked user that is gone": lambda: update(3, {"city": "Lyon"}),
}.items():
    try:
        attempt()
    except grpc.RpcError as error:
        print(f"{what}: {failure(error)}")
