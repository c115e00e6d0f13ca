"""To a type checker, a program that imports Outlast is the program that imports the official SDK."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("typed_program.py")


def test_the_type_checker_says_of_a_program_what_it_says_with_the_official_sdk(tmp_path: Path) -> None:
    source = PROGRAM.read_text()

    ours, official = (_judgement(tmp_path, source, package) for package in ("outlast", "temporalio"))

    assert sum("Revealed type" in line for line in ours) > 40
    assert sum("error" in line for line in ours) > 8
    assert ours == official


def _judgement(folder: Path, source: str, package: str) -> list[str]:
    """What mypy finds, line by line. Notes that list the overloads are left out: they write the same options down in another way."""
    program = folder / "program.py"
    program.write_text(source.replace("outlast", package))
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--no-pretty", str(program)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False).stdout
    lines = [re.sub(rf"\b{package}(\.\w+)*\.", "", line.split("program.py:", 1)[1]) for line in said.splitlines() if "program.py:" in line]
    return [line for line in lines if "Revealed type" in line or "error" in line]
