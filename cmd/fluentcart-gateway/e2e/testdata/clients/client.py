"""A client of the code that protoc and grpcio-tools generate.

    PYTHONPATH=<folder of the generated code> python3 client.py <address>
"""
import json
import sys

import grpc
from fluentcart.customer.v1 import customer_service_pb2 as api
from fluentcart.customer.v1 import customer_service_pb2_grpc
from google.rpc import error_details_pb2, status_pb2


def detail(error, message):
    """Decodes one kind of detail of an error into a message, which stays empty if the error has none."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for packed in status_pb2.Status.FromString(value).details:
                packed.Unpack(message)
    return message


def show(kind, response):
    customer = response.customer
    print(f"{kind}: {','.join(response.changed_fields)} {json.dumps([customer.city, customer.notes], separators=(',', ':'))}")


with grpc.insecure_channel(sys.argv[1]) as channel:
    client = customer_service_pb2_grpc.CustomerServiceStub(channel)

    def update(request):
        return client.UpdateCustomer(request, timeout=20)

    show("update", update(api.UpdateCustomerRequest(customer_id=1, customer={"city": "Lyon"})))
    show("clear", update(api.UpdateCustomerRequest(customer_id=1, customer={"notes": ""})))
    show("mask", update(api.UpdateCustomerRequest(customer_id=1, customer={"city": "Nice", "notes": "vip"}, update_mask={"paths": ["notes"]})))
    show("dry run", update(api.UpdateCustomerRequest(customer_id=1, customer={"city": "Rome"}, validate_only=True)))

    customer = client.GetCustomer(api.GetCustomerRequest(customer_id=1), timeout=20).customer
    linked = "linked" if customer.user_id else "not linked"
    print(f"read: {customer.city} {customer.purchase_value['USD']} {customer.first_purchase_date.seconds} {linked}")
    update(api.UpdateCustomerRequest(customer_id=1, customer={"city": "Lille"}, etag=customer.etag))

    for request in (
        api.UpdateCustomerRequest(customer_id=1, customer={"email": "ann", "full_name": ""}),
        api.UpdateCustomerRequest(customer_id=1, customer={"city": "Metz"}, etag=customer.etag),
        api.UpdateCustomerRequest(customer_id=99, customer={"city": "Metz"}),
    ):
        try:
            update(request)
        except grpc.RpcError as error:
            info = detail(error, error_details_pb2.ErrorInfo())
            violations = detail(error, error_details_pb2.BadRequest()).field_violations
            resource = detail(error, error_details_pb2.ResourceInfo())
            words = ["error:", error.code().name, info.reason, info.metadata["write_state"], *(v.field for v in violations), resource.resource_name]
            print(" ".join(filter(None, words)))
        else:
            sys.exit("no error")
