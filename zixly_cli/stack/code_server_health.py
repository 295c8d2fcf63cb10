"""Whether a code server serves, asked by gRPC. A module of its own: a container asks four times a minute, and drivers that it does not
need would take three times the CPU of the question."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

# The service name under which Dagster's code server reports its health (dagster/_grpc/server.py).
DAGSTER_SERVICE = "DagsterApi"


def is_serving(port: int, *, timeout_seconds: float) -> bool:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        question = health_pb2.HealthCheckRequest(service=DAGSTER_SERVICE)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(question, timeout=timeout_seconds)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
