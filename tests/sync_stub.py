"""Writes what type checkers know of the synchronous client, from the source of the asynchronous one: `python -m tests.sync_stub --write`.

At run time its classes are made by reflection (`outlast.client.sync._mirror`); this gives them their types, overloads and words.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import outlast.client
import outlast.client.sync
from outlast.client.sync import _mirror
from outlast.service import Rpc, Service

STUB = Path(outlast.client.sync.__file__).with_suffix(".pyi")
RUFF = Path(sys.executable).parent / "ruff"
HEADER = '''"""The client without async. Generated from the asynchronous one by `python3 dev.py fix`: do not change."""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, Self, TypeVar, overload
from temporalio.api.operatorservice import v1 as operator
from temporalio.api.testservice import v1 as testing
from temporalio.api.workflowservice import v1 as workflowservice
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
'''
CALL = """
_Request = TypeVar("_Request", bound=Message, contravariant=True)
_Response = TypeVar("_Response", bound=Message, covariant=True)

class _Call(Protocol[_Request, _Response]):
    def __call__(
        self,
        req: _Request,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = ...,
        timeout: timedelta | None = None,
    ) -> _Response: ...
"""
CLIENT_EXTRAS = '''
def close(self) -> None:
    """Close the connection. Calls that wait fail; a later call connects anew."""

def __enter__(self) -> Self: ...
def __exit__(self, *_: object) -> None: ...
'''
ITERATOR_EXTRAS = """
def __iter__(self) -> Self: ...
def __next__(self) -> {item}: ...
"""
MESSAGES = {
    "temporal.api.workflowservice.v1": "workflowservice",
    "temporal.api.operatorservice.v1": "operator",
    "temporal.api.testservice.v1": "testing",
}


def stub() -> str:
    """The stub as it should be."""
    classes = {cls: mirror.__name__ for cls, mirror in _mirror._MIRRORS.items()}
    renames = {cls.__name__: name for cls, name in classes.items()}
    bodies = [_service(cls, name) if issubclass(cls, Service) else _class(cls, name) for cls, name in classes.items()]
    tree = ast.parse(CALL + "\n\n".join(bodies))
    _Renames(renames).visit(tree)
    mirrored = set(renames.values())
    shared = [name for name in outlast.client.sync.__all__ if name not in mirrored]
    imports = f"from outlast.client import {', '.join(shared)}\n" + _imports(tree, mirrored | set(shared))
    names = f"__all__ = {sorted(outlast.client.sync.__all__)!r}\n"
    return _formatted(HEADER + imports + names + ast.unparse(tree))


def _class(cls: type, name: str) -> str:
    generic = [ast.unparse(base) for base in _tree(cls).bases if ast.unparse(base).startswith("Generic[")]
    lines = [f"class {name}({', '.join(generic)}):" if generic else f"class {name}:", f"    {cls.__doc__!r}"]
    members = [member for each in reversed(cls.__mro__) if each.__module__.startswith("outlast.") for member in _members(each)]
    last = {member_name: index for index, (member_name, _) in enumerate(members)}
    body = [text for index, (member_name, text) in enumerate(members) if "@overload" in text or last[member_name] == index]
    if cls is outlast.client.Client:
        body.append(CLIENT_EXTRAS)
    if issubclass(cls, outlast.client._pages.Pages):
        item = next(ast.unparse(base)[len("Pages[") : -1] for base in _tree(cls).bases)
        body = [text.replace("Sequence[Item]", f"Sequence[{item}]") for text in body if "__aiter__" not in text and "__anext__" not in text]
        body.append(ITERATOR_EXTRAS.format(item=item))
    return "\n".join([*lines, *(textwrap.indent(text, "    ") for text in body)])


def _members(cls: type) -> Iterator[tuple[str, str]]:
    tree = _tree(cls)
    overloaded = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_overload(node)}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_"):
            yield node.target.id, ast.unparse(ast.AnnAssign(node.target, node.annotation, None, 1))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (not node.name.startswith("_") or _is_made_by_users(cls, node)):
            if node.name in overloaded and not _is_overload(node):
                continue
            yield _name_of(node), ast.unparse(_synchronous(node))


def _is_made_by_users(cls: type, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return node.name == "__init__" and cls in (
        outlast.client.Client,
        outlast.client.WithStartWorkflowOperation,
        outlast.client.ScheduleHandle,
    )


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


def _name_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    is_setter = any(ast.unparse(decorator).endswith(".setter") for decorator in node.decorator_list)
    return f"{node.name}=" if is_setter else node.name


def _synchronous(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.FunctionDef:
    words = ast.get_docstring(node, clean=False)
    body: list[ast.stmt] = [ast.Expr(ast.Constant(words))] if words else []
    arguments = node.args
    arguments.defaults = [_default(default) for default in arguments.defaults]
    arguments.kw_defaults = [default and _default(default) for default in arguments.kw_defaults]
    decorators = [each for each in node.decorator_list if not ast.unparse(each).startswith("signature_of")]
    made = ast.FunctionDef(node.name, arguments, body or [ast.Expr(ast.Constant(...))], decorators, node.returns, type_comment=None)
    return ast.fix_missing_locations(made)


def _default(default: ast.expr) -> ast.expr:
    return default if isinstance(default, ast.Constant) else ast.Constant(...)


def _service(cls: type[Service], name: str) -> str:
    lines = [f"class {name}:", f"    {cls.__doc__!r}"]
    for rpc_name, rpc in vars(cls).items():
        if isinstance(rpc, Rpc):
            lines.append(f"    {rpc_name}: _Call[{_message(rpc.request_type)}, {_message(rpc.response_type)}]")
    return "\n".join(lines)


def _message(message: Any) -> str:
    package, name = message.DESCRIPTOR.full_name.rsplit(".", 1)
    return f"{MESSAGES[package]}.{name}" if package in MESSAGES else name


class _Renames(ast.NodeTransformer):
    """Synchronous names for asynchronous ones, in all annotations."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names | {"AsyncIterator": "Iterator"}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def _imports(tree: ast.AST, made: set[str]) -> str:
    """Imports of the names that the stub uses, from where the asynchronous client has them."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - made
    origins: dict[str, str] = {}
    for path in sorted(Path(outlast.client.__file__).parent.glob("_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module != "__future__":
                for alias in node.names:
                    words = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                    origins.setdefault(alias.asname or alias.name, f"from {node.module} import {words}")
            elif isinstance(node, ast.ClassDef):
                origins[node.name] = f"from outlast.client.{path.stem} import {node.name}"
    known = set(_names_in(ast.parse(HEADER)))
    return "\n".join(sorted(origins[name] for name in used if name in origins and name not in known)) + "\n"


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def _tree(cls: type) -> ast.ClassDef:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return tree


def _formatted(text: str) -> str:
    options = ["--quiet", "--stdin-filename", str(STUB), "-"]
    rules = ["--fix", "--select", "I,F401"]
    checked = subprocess.run([RUFF, "check", *rules, *options], input=text, capture_output=True, text=True, check=False).stdout
    formatted = subprocess.run([RUFF, "format", *options], input=checked, capture_output=True, text=True, check=True).stdout
    return formatted.replace("args: MultiParamSpec.args,", "args: MultiParamSpec.args,  # type: ignore[valid-type]")


def main() -> int:
    """Compare, or write with --write."""
    text = stub()
    if "--write" in sys.argv:
        STUB.write_text(text)
    return 0 if STUB.exists() and STUB.read_text() == text else 1


if __name__ == "__main__":
    sys.exit(main())
