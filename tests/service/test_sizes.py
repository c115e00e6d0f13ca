"""Warnings of payloads that servers may refuse."""

from __future__ import annotations

import pytest
from temporalio.api.command.v1 import Command
from temporalio.api.workflowservice.v1 import RespondWorkflowTaskCompletedRequest, StartWorkflowExecutionRequest

from outlast.server.node import Node
from outlast.service import ConnectConfig, PayloadLimitsConfig, ServiceClient
from outlast.service._sizes import warn_of_large

LIMITS = PayloadLimitsConfig(payloads_warn_size=1000, memo_warn_size=100)


def _start(input_bytes: int, memo_bytes: int) -> StartWorkflowExecutionRequest:
    request = StartWorkflowExecutionRequest(namespace="default", workflow_id="w", request_id="r")
    request.workflow_type.name = "W"
    request.task_queue.name = "q"
    request.input.payloads.add(data=b"x" * input_bytes)
    request.memo.fields["m"].data = b"x" * memo_bytes
    return request


def _warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().split("upload ")[1].split(" with")[0] for record in caplog.records]


@pytest.mark.parametrize(
    ("input_bytes", "memo_bytes", "warned"),
    [(10, 10, []), (10, 200, ["memo"]), (2000, 10, ["payloads"]), (2000, 200, ["payloads", "memo"]), (900, 50, [])],
)
def test_each_large_part_is_warned_of(input_bytes: int, memo_bytes: int, warned: list[str], caplog: pytest.LogCaptureFixture) -> None:
    request = _start(input_bytes, memo_bytes)

    warn_of_large("start_workflow_execution", request, request.ByteSize(), LIMITS)

    assert _warned(caplog) == warned


def test_payloads_of_commands_and_headers_are_looked_at_and_a_limit_of_nothing_is_none(caplog: pytest.LogCaptureFixture) -> None:
    command = Command()
    attributes = command.schedule_activity_task_command_attributes
    attributes.input.payloads.add(data=b"x" * 2000)
    attributes.header.fields["h"].data = b"x" * 2000
    request = RespondWorkflowTaskCompletedRequest(commands=[command, Command()])

    warn_of_large("respond", request, request.ByteSize(), LIMITS)
    assert _warned(caplog) == ["payloads", "payloads"]
    caplog.clear()
    warn_of_large("respond", request, request.ByteSize(), PayloadLimitsConfig(payloads_warn_size=0, memo_warn_size=0))
    assert _warned(caplog) == []


async def test_what_is_large_is_sent_all_the_same(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    client = await ServiceClient.connect(ConnectConfig(node.address, payload_limits=LIMITS))

    reply = await client.workflow_service.start_workflow_execution(_start(2000, 10))

    assert reply.run_id
    assert _warned(caplog) == ["payloads"]
