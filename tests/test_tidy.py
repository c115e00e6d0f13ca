"""Taste that is checked: what a reviewer need not say again."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
ALL = [
    *SOURCES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "bench").rglob("*.py")),
    *sorted((ROOT / "examples").rglob("*.py")),
]
LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_says_what_it_is_and_fits_its_room(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)

    assert not tree.body or ast.get_docstring(tree), "no docstring"
    assert text.count("\n") <= LINES_MAX, "too long: is it one room, or several?"
    assert [node.name for node in _functions(tree) if _length(node) > FUNCTION_LINES_MAX] == []


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_of_the_official_sdk_only_the_messages_are_used(path: Path) -> None:
    imported = {name for name in _imports(ast.parse(path.read_text())) if name.split(".")[0] == "temporalio"}

    assert [name for name in imported if not name.startswith("temporalio.api")] == []


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_nothing_is_left_to_do_or_to_skip_without_a_word(path: Path) -> None:
    text = path.read_text()

    assert re.findall(r"#\s*(?:TODO|FIXME|XXX|HACK)\b(?!.*#\d)", text) == []
    assert re.findall(r"pytest\.(?:mark\.)?(?:skip|xfail)\w*(?!\w*\(.*reason)(?=[\s\)(]*$)", text, re.MULTILINE) == []


def test_every_decision_has_a_reason() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))

    assert decisions
    for path in decisions:
        text = path.read_text()
        assert all(f"## {part}" in text for part in ("Context", "Choice", "What we give up")), path.name


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
