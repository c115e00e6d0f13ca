"""What is loaded by an import, in a fresh interpreter: defining workflows and activities needs no message and no native library."""

import subprocess
import sys

import pytest

HEAVY = ("temporalio.api", "google.protobuf", "grpc", "msgspec")
LIGHT = ("", ".workflow", ".activity", ".common", ".exceptions", ".types")


def _loaded(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    return set(ended.stdout.split())


def _heavy(loaded: set[str]) -> list[str]:
    """The messages, native libraries, and whatever of the official distribution (whose bare name Outlast enters itself)."""
    return sorted(name for name in loaded if name in HEAVY or name.startswith("temporalio."))


@pytest.mark.parametrize("module", LIGHT)
def test_definitions_load_no_messages(module: str) -> None:
    assert _heavy(_loaded(f"import outlast{module}")) == []


def test_a_workflow_and_an_activity_are_defined_without_messages() -> None:
    program = """
from datetime import timedelta
from outlast import activity, workflow
from outlast.common import RetryPolicy, SearchAttributeKey
from outlast.exceptions import ApplicationError

@activity.defn
async def greet(name: str) -> str:
    raise ApplicationError("x", type="T")

@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=1)
        )

    @workflow.signal
    def go(self) -> None: ...

    @workflow.query
    def state(self) -> str: ...

    @workflow.update
    async def change(self, value: int) -> int: ...
"""
    assert _heavy(_loaded(program)) == []


def test_of_the_official_distribution_only_messages_are_ever_loaded() -> None:
    loaded = _loaded(
        "import outlast.client, outlast.worker, outlast.converter, outlast.testing, outlast.runtime, outlast.envconfig, outlast.plugin"
    )

    assert {name.split(".")[1] for name in loaded if name.startswith("temporalio.")} == {"api"}
