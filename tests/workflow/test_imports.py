"""Importing what workflow and activity code needs is cheap: no message, no native library."""

import subprocess
import sys

import pytest

HEAVY = ("google", "grpc", "msgspec", "multiprocessing", "opentelemetry", "pydantic", "temporalio")


@pytest.mark.parametrize("module", ["outlast.workflow", "outlast.activity"])
def test_no_message_and_no_native_library_is_imported(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"

    imported = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60).stdout.split()

    assert module in imported
    # `temporalio` itself is an empty package that stands in for the SDK around the messages.
    assert [name for name in imported if name.split(".")[0] in HEAVY and name != "temporalio"] == []
