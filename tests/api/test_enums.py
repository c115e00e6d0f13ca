"""Enums are written as numbers, since messages are not loaded for them: they are the numbers of the messages."""

import enum
import importlib
import inspect
import re

import grpc
import pytest
import temporalio.api.enums.v1 as messages

from outlast.service import RPCStatusCode
from tests.api.surface import MODULES, OURS

OTHERWISE_NAMED = {
    "SearchAttributeIndexedValueType": "IndexedValueType",
    "WorkflowHistoryEventFilterType": "HistoryEventFilterType",
    "WorkflowUpdateStage": "UpdateWorkflowExecutionLifecycleStage",
}
NOT_ON_THE_WIRE = {"ActivityCancellationType", "ChildWorkflowCancellationType", "HeaderCodecBehavior"}
SNAKE = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _enums() -> dict[str, type[enum.IntEnum]]:
    """All enums with numbers, but for those of calls, whose numbers are gRPC's."""
    return {
        name: value
        for module in MODULES
        for name, value in vars(importlib.import_module(f"{OURS}.{module}")).items()
        if inspect.isclass(value)
        and issubclass(value, enum.IntEnum)
        and value.__module__.startswith(OURS)
        and value is not RPCStatusCode
        and name not in NOT_ON_THE_WIRE
    }


@pytest.mark.parametrize("name", sorted(_enums()))
def test_an_enum_has_the_numbers_of_the_messages(name: str) -> None:
    message = OTHERWISE_NAMED.get(name, name.replace("ID", "Id"))
    prefix = SNAKE.sub("_", message).upper()

    numbers = dict(getattr(messages, message).items())

    assert {f"{prefix}_{member.name}": member.value for member in _enums()[name]}.items() <= numbers.items()


def test_codes_of_calls_are_those_of_grpc() -> None:
    assert {code.name: code.value for code in RPCStatusCode} == {code.name: code.value[0] for code in grpc.StatusCode}
