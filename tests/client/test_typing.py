"""What type checkers know of the client's calls."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_calls_have_the_types_of_what_is_called() -> None:
    command = [Path(sys.executable).parent / "mypy", "--no-error-summary", "tests/client/typed.py"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert [line for line in checked.stdout.splitlines() if line.startswith("tests/client/typed.py")] == []
    assert checked.returncode == 0 or "typed.py" not in checked.stdout
