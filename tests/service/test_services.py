"""Every procedure of the messages' own description is there, with its messages."""

import re

import pytest
from grpc_health.v1 import health_pb2
from temporalio.api.operatorservice.v1 import service_pb2 as operator
from temporalio.api.testservice.v1 import service_pb2 as testing
from temporalio.api.workflowservice.v1 import service_pb2 as workflow

from outlast.service import HealthService, OperatorService, Rpc, Service, TestService, WorkflowService
from outlast.service._rpc import wire_name

TestService.__test__ = False  # type: ignore[attr-defined]

DESCRIBED = (
    (WorkflowService, workflow.DESCRIPTOR.services_by_name["WorkflowService"]),
    (OperatorService, operator.DESCRIPTOR.services_by_name["OperatorService"]),
    (TestService, testing.DESCRIPTOR.services_by_name["TestService"]),
    (HealthService, health_pb2.DESCRIPTOR.services_by_name["Health"]),
)
STREAMS = {"Watch"}
HEALTH_LIST = {"List"}
"""Newer than the servers that we talk to, and not in the official SDK."""


@pytest.mark.parametrize(("service", "described"), DESCRIBED)
def test_every_described_procedure_is_offered_with_its_messages(service: type[Service], described) -> None:
    offered = {
        name: (rpc.request_type.DESCRIPTOR.full_name, rpc.response_type.DESCRIPTOR.full_name)
        for name, rpc in vars(service).items()
        if isinstance(rpc, Rpc)
    }
    expected = {
        _snake(method.name): (method.input_type.full_name, method.output_type.full_name)
        for method in described.methods
        if method.name not in STREAMS | HEALTH_LIST
    }

    assert offered == expected
    assert described.full_name == service._full_name


@pytest.mark.parametrize(("service", "described"), DESCRIBED)
def test_a_name_in_snake_case_gives_the_name_on_the_wire(service: type[Service], described) -> None:
    names = {wire_name(name) for name, rpc in vars(service).items() if isinstance(rpc, Rpc)}

    assert names <= {method.name for method in described.methods}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
