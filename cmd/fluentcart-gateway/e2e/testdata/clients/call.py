"""Makes calls at the same time, each with a service config, and prints how they end.

    PYTHONPATH=<folder of the generated code> python3 call.py <calls as JSON>
"""
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from fluentcart.customer.v1 import customer_service_pb2 as api
from fluentcart.customer.v1 import customer_service_pb2_grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2


def end(call):
    begin = time.monotonic()
    message = {"UpdateCustomer": api.UpdateCustomerRequest, "GetCustomer": api.GetCustomerRequest}[call["method"]]
    metadata = [("authorization", call["authorization"])] if call["authorization"] else []
    info = error_details_pb2.ErrorInfo()
    with grpc.insecure_channel(call["address"], options=[("grpc.service_config", json.dumps(call["config"]))]) as channel:
        method = getattr(customer_service_pb2_grpc.CustomerServiceStub(channel), call["method"])
        future = method.future(json_format.ParseDict(call["request"], message()), timeout=call["timeout"] / 1000, metadata=metadata)
        if call["cancel"]:
            threading.Timer(call["cancel"] / 1000, future.cancel).start()
        try:
            future.result()
        except (grpc.RpcError, grpc.FutureCancelledError):
            for key, value in future.trailing_metadata():
                if key == "grpc-status-details-bin":
                    for detail in status_pb2.Status.FromString(value).details:
                        detail.Unpack(info)
        status = " ".join(filter(None, [future.code().name, info.reason, info.metadata.get("write_state", "")]))
        return {"status": status, "took": int((time.monotonic() - begin) * 1000)}


calls = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(calls)) as threads:
    print(json.dumps(list(threads.map(end, calls))))
