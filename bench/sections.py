"""The parts of docs/benchmarks.md: each is written by a run of its own, and leaves the others alone."""

from collections.abc import Iterable, Sequence
from pathlib import Path

HEAD = """# Benchmarks

Written by `python3 dev.py bench`; every figure is from the run that wrote its part, on the machine that the part names.
Do not edit it: run it again.
"""
ORDER = "embedded", "scale", "reference"


def put(document: Path, name: str, body: str) -> None:
    """Write one part into the document, in the place of what an earlier run wrote there."""
    text = document.read_text() if document.exists() else ""
    bodies = {each: _body(text, each) for each in ORDER} | {name: body.strip()}
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_text("\n".join([HEAD, *(f"{_begin(each)}\n\n{bodies[each]}\n\n{_end(each)}\n" for each in ORDER if bodies[each])]))


def _begin(name: str) -> str:
    return f"<!-- {name}: written by `python3 dev.py bench {name}` -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"


def _body(text: str, name: str) -> str:
    _, found, rest = text.partition(_begin(name))
    return rest.partition(_end(name))[0].strip() if found else ""


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
