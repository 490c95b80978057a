"""Reads and updates customers over JSON, with the requests library (Python 3.9 or newer):

    GATEWAY_URL=http://127.0.0.1:8080 GATEWAY_TOKEN= python3 json_requests.py
"""

import os

import requests

URL = os.environ.get("GATEWAY_URL", "http://127.0.0.1:8080")

session = requests.Session()
session.trust_env = False  # no proxy from the environment
if token := os.environ.get("GATEWAY_TOKEN"):
    session.headers["Authorization"] = f"Bearer {token}"
# With --caller-auth=store: session.auth = (username, application_password)

# The gateway gets less time than requests, so that its answer, which says whether something was written, still arrives.
session.headers["Grpc-Timeout"] = "20S"
TIMEOUT = 25


class GatewayError(Exception):
    """A failed call, and what it means for the write.

    An answer that the gateway did not write (a proxy's page), or none (the connection broke, the time is over), says nothing.
    """

    def __init__(self, answer=None):
        details = answer.get("details", []) if isinstance(answer, dict) else []
        info = next((d for d in details if d["@type"].endswith("/google.rpc.ErrorInfo")), None)
        self.reason = info["reason"] if info else "no answer of the gateway"
        self.nothing_written = info is not None and info["metadata"]["write_state"] in ("not_sent", "rejected")
        self.violations = [v for d in details for v in d.get("fieldViolations", [])]

    def __str__(self):
        outcome = "nothing was written" if self.nothing_written else "unknown: read the customer before you send the update again"
        return "; ".join([f"{self.reason}, {outcome}", *(f"{v['field']}: {v['description']}" for v in self.violations)])


def call(method, path, body=None, headers=None):
    try:
        response = session.request(method, URL + path, json=body, headers=headers, timeout=TIMEOUT)
        answer = response.json()
    except requests.RequestException as error:
        raise GatewayError() from error
    if not response.ok:
        raise GatewayError(answer)
    return answer


# The call that FluentCart documents, with its nine fields. Only the host is another one.
documented = call("PUT", "/wp-json/fluent-cart/v2/customers/1", {
    "email": "customer@example.com", "full_name": "John Doe", "city": "Paris", "status": "active", "notes": "prefers email",
    "country": "FR", "state": "IDF", "postcode": "75001", "user_id": 0,
})
print("documented call:", documented["message"])

customer = call("GET", "/v1/customers/1")["customer"]
print(f"read: {customer['full_name']}, {customer['city']}")

# Only the fields in the body change. "" or None clears a field.
partial = call("PATCH", "/v1/customers/1", {"city": "Lyon"})
print(f"partial update: changed {', '.join(partial['changed_fields'])}; the notes stay: {partial['data']['notes']}")

# A dry run reads, checks and answers, and writes nothing.
dry_run = call("PATCH", "/v1/customers/1?validate_only=true", {"postcode": "69001"})
print("dry run: would change", ", ".join(dry_run["changed_fields"]))

# With an etag the update is written only if nobody has changed the customer since it was read.
unchanged = {"If-Match": f'"{partial["data"]["etag"]}"'}
updated = call("PATCH", "/v1/customers/1", {"notes": "prefers phone"}, unchanged)
print("with the etag: changed", ", ".join(updated["changed_fields"]))

for what, arguments in {
    "with the old etag": ("PATCH", "/v1/customers/1", {"notes": "prefers letters"}, unchanged),
    "a city that is too long": ("PATCH", "/v1/customers/1", {"city": "x" * 46}),
    # Customer 3 of the sandbox store is linked to a WordPress user that does not exist: the store answers 423.
    "a linked user that is gone": ("PATCH", "/v1/customers/3", {"city": "Lyon"}),
}.items():
    try:
        call(*arguments)
    except GatewayError as error:
        print(f"{what}: {error}")
