"""What importing Outlast costs, and what it leaves alone."""

import subprocess
import sys

import pytest


def run(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_the_package_alone_imports_next_to_nothing() -> None:
    program = "import sys, outlast; print([name for name in ('asyncio', 'google.protobuf', 'grpc', 'msgspec') if name in sys.modules])"

    assert run(program) == "[]"


def test_parts_come_when_they_are_asked_for() -> None:
    assert run("import outlast; print(outlast.workflow.defn.__name__, outlast.Outlast.__name__)") == "defn Outlast"
    assert "Outlast" in run("import outlast; print(dir(outlast))")
    assert run("import outlast\ntry: outlast.nothing\nexcept AttributeError as error: print(error)").endswith("'nothing'")


def test_a_node_and_its_client_load_no_part_of_the_official_sdk_but_the_messages() -> None:
    program = (
        "import sys, outlast.embedded; print(sorted(name for name in sys.modules if name.startswith('temporalio.') and '.api' not in name))"
    )

    assert run(program) == "[]"


@pytest.mark.parametrize("first", ["import outlast.embedded", "import temporalio.client"])
def test_the_official_sdk_is_whole_beside_it(first: str) -> None:
    program = (
        f"{first}; import outlast.embedded, temporalio, temporalio.worker; print(temporalio.__version__, temporalio.worker.Worker.__name__)"
    )

    assert run(program) == "1.35.0 Worker"


def test_what_the_official_package_has_not_is_missing_as_ever() -> None:
    program = "import outlast, temporalio\ntry: temporalio.nothing\nexcept AttributeError as error: print(error)"

    assert run(program) == "module 'temporalio' has no attribute 'nothing'"
