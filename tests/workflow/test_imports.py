"""Importing what workflow and activity code needs is cheap: no message, no native library."""

import subprocess
import sys

import pytest

HEAVY = ("temporalio", "google", "grpc", "msgspec", "multiprocessing", "opentelemetry", "pydantic")


@pytest.mark.parametrize("module", ["outlast.workflow", "outlast.activity"])
def test_no_message_and_no_native_library_is_imported(module: str) -> None:
    program = f"import sys, {module}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"

    imported = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60).stdout.split()

    assert "outlast" in imported
    assert sorted(set(imported) & set(HEAVY)) == []
