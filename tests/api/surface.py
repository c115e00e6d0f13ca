"""Compares the public names of two packages: what is missing in ours, and what is there but differs."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import typing_extensions

from outlast.service._rpc import Call, Rpc

OFFICIAL, OURS = "temporalio", "outlast"
MODULES = (
    "workflow",
    "activity",
    "client",
    "worker",
    "common",
    "converter",
    "exceptions",
    "testing",
    "envconfig",
    "plugin",
    "service",
    "runtime",
    "types",
    "contrib.pydantic",
    "contrib.opentelemetry",
)
_SPECIAL = frozenset(
    (
        *("__init__", "__call__", "__await__", "__aenter__", "__aexit__", "__enter__", "__exit__", "__aiter__", "__anext__"),
        *("__iter__", "__next__", "__len__", "__getitem__", "__contains__", "__getstate__", "__setstate__"),
    )
)
_PYTHONS_OWN = (Exception, RuntimeError, ValueError, tuple, str, int)


class Difference(NamedTuple):
    """A public name that is not, or not the same, in ours."""

    path: str
    """Module, name, member; of a parameter the function that has it."""
    official: str
    """What it is in the official package."""
    ours: str
    """What it is in ours, empty if it is missing."""


def differences(module: str, official: ModuleType, ours: ModuleType) -> Iterator[Difference]:
    """All public names of a module of the official package that ours has not, or has otherwise."""
    seen: set[str] = set()
    for name in public_names(official):
        theirs = getattr(official, name)
        if not hasattr(ours, name):
            yield Difference(f"{module}.{name}", _kind(theirs), "")
            continue
        for difference in _compared(f"{module}.{name}", theirs, getattr(ours, name)):
            if difference.path not in seen:  # a field of a dataclass is a member, too
                seen.add(difference.path)
                yield difference


def public_names(module: ModuleType) -> list[str]:
    """The names that a module offers: those it lists, or else those it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return [name for name in listed if not name.startswith("_")]
    assert module.__file__ is not None
    names: list[str] = []
    for node in ast.parse(Path(module.__file__).read_text()).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.append(node.name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
    return [name for name in dict.fromkeys(names) if not name.startswith("_")]


def _compared(path: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    if _kind(theirs) != _kind(ours):
        yield Difference(path, _kind(theirs), _kind(ours))
    elif inspect.isclass(theirs):
        yield from _classes(path, theirs, ours)
    elif inspect.isfunction(theirs):
        yield from _functions(path, theirs, ours)
    elif _value(theirs) != _value(ours):
        yield Difference(path, _value(theirs), _value(ours))


def _value(value: Any) -> str:
    """What can be compared of a constant, an alias or a type variable."""
    if isinstance(value, typing.TypeVar):
        bounds = [_text(bound) for bound in (value.__bound__, *value.__constraints__)]
        return f"TypeVar, {bounds}, {value.__covariant__}, {value.__contravariant__}"
    if isinstance(value, typing.NewType):
        return f"NewType of {_text(value.__supertype__)}"
    if typing.get_origin(value) is not None:
        return _text(value)
    if isinstance(value, int | str):
        return repr(value)
    return type(value).__name__


def _kind(value: Any) -> str:
    if inspect.isclass(value):
        if issubclass(value, enum.Enum):
            return "int enum" if issubclass(value, int) else "enum"
        if dataclasses.is_dataclass(value) and any(not field.name.startswith("_") for field in dataclasses.fields(value)):
            return "frozen dataclass" if value.__dataclass_params__.frozen else "dataclass"
        return "typed dict" if typing_extensions.is_typeddict(value) else "class"
    if inspect.isfunction(value):
        return "async function" if inspect.iscoroutinefunction(value) else "function"
    if isinstance(value, property):
        return "property"
    if isinstance(value, classmethod | staticmethod):
        return f"{type(value).__name__}, {_kind(value.__func__)}"
    if isinstance(value, types.ModuleType):
        return "module"
    return "value"


def _classes(path: str, theirs: type, ours: type) -> Iterator[Difference]:
    for base in _public_bases(theirs):
        if base not in {parent.__name__ for parent in ours.__mro__}:
            yield Difference(path, f"is a {base}", "is not")
    if (variables := _variables(theirs)) != _variables(ours):
        yield Difference(path, f"of {variables}", f"of {_variables(ours)}")
    if issubclass(theirs, enum.Enum):
        yield from _enums(path, theirs, ours)
    elif typing_extensions.is_typeddict(theirs):
        yield from _annotated(path, _hints(theirs), _hints(ours))
        if theirs.__required_keys__ != ours.__required_keys__:  # type: ignore[attr-defined]
            yield Difference(path, f"requires {sorted(theirs.__required_keys__)}", f"requires {sorted(ours.__required_keys__)}")  # type: ignore[attr-defined]
    elif "dataclass" in _kind(theirs):
        yield from _dataclasses(path, theirs, ours)
    yield from _members(path, theirs, ours)


def _variables(cls: type) -> list[str]:
    return [variable.__name__ for variable in getattr(cls, "__parameters__", ())]


def _public_bases(cls: type) -> Iterator[str]:
    for base in cls.__mro__[1:]:
        package, _, rest = base.__module__.partition(".")
        is_official = package == OFFICIAL and not rest.startswith("bridge") and not base.__name__.startswith("_")
        if is_official or base in _PYTHONS_OWN:
            yield base.__name__


def _enums(path: str, theirs: type[enum.Enum], ours: type[Any]) -> Iterator[Difference]:
    for name, member in theirs.__members__.items():
        other = ours.__members__.get(name)
        if other is None:
            yield Difference(f"{path}.{name}", repr(member.value), "")
        elif other.value != member.value:
            yield Difference(f"{path}.{name}", repr(member.value), repr(other.value))


def _hints(cls: type) -> dict[str, str]:
    """Annotations of a class and its bases, as texts."""
    return {name: _text(hint) for base in reversed(cls.__mro__) for name, hint in inspect.get_annotations(base).items()}


def _annotated(path: str, theirs: dict[str, str], ours: dict[str, str]) -> Iterator[Difference]:
    for name, hint in theirs.items():
        if name.startswith("_"):
            continue
        if name not in ours:
            yield Difference(f"{path}.{name}", hint, "")
        elif not _same_text(hint, ours[name]):
            yield Difference(f"{path}.{name}", hint, ours[name])


def _dataclasses(path: str, theirs: type[Any], ours: type[Any]) -> Iterator[Difference]:
    known = {field.name: field for field in dataclasses.fields(ours)}
    for field in dataclasses.fields(theirs):
        if field.name.startswith("_"):
            continue
        official, other = _field(field), _field(known[field.name]) if field.name in known else ""
        if official != other:
            yield Difference(f"{path}.{field.name}", official, other)
    order = [field.name for field in dataclasses.fields(theirs) if field.name in known and field.init]
    our_order = [name for name in known if name in order]
    if order != our_order:
        yield Difference(path, f"fields {order}", f"fields {our_order}")


def _field(field: dataclasses.Field[Any]) -> str:
    made = field.default_factory
    default = f"made by {made.__name__}" if made is not dataclasses.MISSING else _default(field.default)  # type: ignore[attr-defined]
    return f"{_text(field.type)}, default {default}, init {field.init}, keyword only {bool(field.kw_only)}"


def _members(path: str, theirs: type, ours: type) -> Iterator[Difference]:
    names = dict.fromkeys(
        name
        for base in theirs.__mro__
        if base.__module__.split(".")[0] == OFFICIAL
        for name in vars(base)
        if (name in _SPECIAL or not name.startswith("_")) and not (issubclass(theirs, enum.Enum) and name in theirs.__members__)
    )
    own = {theirs.__name__: "Self"}, {ours.__name__: "Self"} | _type_arguments(ours)
    generated = {"__init__"} if dataclasses.is_dataclass(theirs) and "__init__" in vars(theirs) else set()
    for name in names:
        member = inspect.getattr_static(theirs, name)
        other = inspect.getattr_static(ours, name, _ABSENT)
        if name in generated or (name == "__init__" and _is_generated(member)):
            continue
        if other is _ABSENT:
            if name not in _hints(ours):
                yield Difference(f"{path}.{name}", _kind(member), "")
        else:
            for difference in _member(f"{path}.{name}", member, other):
                official, our = _renamed(difference.official, own[0]), _renamed(difference.ours, own[1])
                if name not in _ANY_ARGUMENTS and not _same_text(official, our):
                    yield Difference(difference.path, official, our)


_ABSENT = object()
_ANY_ARGUMENTS = ("__exit__", "__aexit__")
"""Only Python calls these, and always alike, however their parameters are written down."""


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), text)


def _type_arguments(cls: type) -> dict[str, str]:
    """What the type variables of generic bases stand for in a class."""
    arguments: dict[str, str] = {}
    for parent in cls.__mro__:
        for base in getattr(parent, "__orig_bases__", ()):
            variables = getattr(typing.get_origin(base), "__parameters__", ())
            arguments |= {
                variable.__name__: _text(argument)
                for variable, argument in zip(variables, typing.get_args(base), strict=False)
                if not isinstance(argument, typing.TypeVar)
            }
    return arguments


def _is_generated(member: Any) -> bool:
    """Whether the initializer is one that `typing.Protocol` gives to a class."""
    return getattr(member, "__module__", "").startswith("typing")


def _member(path: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    if isinstance(theirs, property) and isinstance(ours, property):
        official, other = _returned(theirs), _returned(ours)
        if not _same_text(official, other):
            yield Difference(path, official, other)
        return
    if isinstance(ours, Rpc):
        if not _same_text(signature(theirs), _procedure(ours)):
            yield Difference(path, signature(theirs), _procedure(ours))
        return
    if _kind(theirs) != _kind(ours):
        yield Difference(path, _kind(theirs), _kind(ours))
        return
    theirs, ours = getattr(theirs, "__func__", theirs), getattr(ours, "__func__", ours)
    if inspect.isfunction(theirs):
        yield from _functions(path, theirs, ours)


def _procedure(rpc: Rpc[Any, Any]) -> str:
    """A remote procedure as the function that it is called like."""
    text = signature(Call.__call__)  # its own types are variables, of which only type checkers know what they stand for
    return text.replace(UNKNOWN, rpc.request_type.__name__, 1).replace(UNKNOWN, rpc.response_type.__name__, 1)


def _returned(prop: property) -> str:
    return _text(inspect.get_annotations(prop.fget).get("return", _ABSENT)) if prop.fget else ""


def _functions(path: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    overloads, our_overloads = _overloads(theirs), _overloads(ours)
    if not overloads:
        if not _same_signature(theirs, ours):
            yield Difference(path, signature(theirs), signature(ours))
        return
    if _shape(theirs) != _shape(ours):
        yield Difference(path, _shape(theirs), _shape(ours))
    rest = list(our_overloads)
    for overload in overloads:
        match = next((other for other in rest if _same_call(overload, other)), None)
        if match is None:
            yield Difference(f"{path} (overload)", str(overload), "; ".join(map(str, rest)))
        else:
            rest.remove(match)
    if len(our_overloads) != len(overloads):
        yield Difference(path, f"{len(overloads)} overloads", f"{len(our_overloads)} overloads")


def _same_signature(theirs: Any, ours: Any) -> bool:
    if _same_text(signature(theirs), signature(ours)):
        return True
    # One package may spell out an alias that the other names.
    return _same_text(signature(theirs, evaluated=True), signature(ours, evaluated=True))


class _Call(NamedTuple):
    """An overload as a caller sees it."""

    positional: str
    keywords: dict[str, tuple[str, str]]
    """Types and defaults of keyword-only parameters: `_SOME` where there is one and it is not said which, empty without one."""
    returned: str


_SOME = "some"


def _overloads(function: Any) -> list[_Call]:
    return [_call(overload) for overload in typing.get_overloads(inspect.unwrap(function))]


def _call(overload: Any) -> _Call:
    positional: list[str] = []
    keywords: dict[str, tuple[str, str]] = {}
    for parameter in inspect.signature(overload).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            default = "" if parameter.default is parameter.empty else _default(parameter.default)
            keywords[parameter.name] = (_text(parameter.annotation), default)
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords |= _unpacked(overload, str(parameter.annotation))
        else:
            positional.append(_one(parameter, types=True))
    return _Call(", ".join(positional), keywords, _text(inspect.get_annotations(overload).get("return", _ABSENT)))


def _unpacked(overload: Any, annotation: str) -> dict[str, tuple[str, str]]:
    """The keywords that a typed dict stands for. Which of them may be left out can depend on words that are only in the text."""
    name = re.findall(r"\w+", annotation)[-1]
    keywords: dict[str, tuple[str, str]] = {}
    for part in _typed_dicts(overload.__globals__[name]):
        for key, hint in inspect.get_annotations(part).items():
            text = _text(hint)
            required = part.__total__  # type: ignore[attr-defined]
            for word, means in (("NotRequired", False), ("Required", True)):
                if text.startswith(f"{word}["):
                    text, required = text[len(word) + 1 : -1], means
            keywords[key] = (text, "" if required else _SOME)
    return keywords


def _typed_dicts(cls: Any) -> list[type]:
    """A typed dict, and then those it is made of, which are no bases at run time but say which of their keys must be there."""
    parts = [cls]
    for base in getattr(cls, "__orig_bases__", ()):
        if typing_extensions.is_typeddict(base):
            parts += [part for part in _typed_dicts(base) if part not in parts]
    return parts


def _same_call(theirs: _Call, ours: _Call) -> bool:
    if not _same_text(theirs.positional, ours.positional) or not _same_text(theirs.returned, ours.returned):
        return False
    if theirs.keywords.keys() != ours.keywords.keys():
        return False
    return all(
        _same_text(hint, ours.keywords[key][0]) and ours.keywords[key][1] in ((_SOME, default) if default else ("",))
        for key, (hint, default) in theirs.keywords.items()
    )


def _shape(function: Callable[..., Any]) -> str:
    """Names, kinds and defaults of an overloaded function's own parameters; its types are those of the overloads."""
    return _parameters(function, types=False)


def signature(function: Callable[..., Any], *, evaluated: bool = False) -> str:
    """Parameters and result of a function, without the names of modules; with aliases spelt out, if `evaluated`."""
    hints = inspect.get_annotations(function)
    if evaluated:
        hints = {name: _evaluated(hint, function) for name, hint in hints.items()}
    return f"({_parameters(function, types=True, hints=hints)}) -> {_text(hints.get('return', _ABSENT))}"


def _evaluated(hint: Any, function: Any) -> Any:
    """What the text of an annotation means; the text, where only type checkers see the names in it."""
    try:
        return eval(hint, function.__globals__) if isinstance(hint, str) else hint
    except NameError:
        return hint


def _parameters(function: Callable[..., Any], *, types: bool, hints: Mapping[str, Any] | None = None) -> str:
    parts: list[str] = []
    star = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            star = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            parts.append("*")
        parts.append(_one(parameter, types=types, hints=hints))
    return ", ".join(parts)


def _one(parameter: inspect.Parameter, *, types: bool, hints: Mapping[str, Any] | None = None) -> str:
    prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    suffix = "/" if parameter.kind is parameter.POSITIONAL_ONLY else ""
    annotation = parameter.annotation if hints is None else hints.get(parameter.name, parameter.empty)
    hint = f": {_text(annotation)}" if types and parameter.name not in ("self", "cls") else ""
    default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
    return f"{prefix}{parameter.name}{suffix}{hint}{default}"


def _default(value: Any) -> str:
    if value is dataclasses.MISSING:
        return "none"
    if isinstance(value, list | tuple) and not value:
        return "empty"
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__name__
    text = repr(value).replace(OURS, OFFICIAL)
    return type(value).__name__ if " at 0x" in text or len(text) > _DEFAULT_TEXT_MAX else text


_DEFAULT_TEXT_MAX = 300
"""What is longer says too much: of a sandbox, all modules that it knows."""

UNKNOWN = "?"
"""The text of an annotation that is not there. The official package leaves out some; ours says what they are."""


def _same_text(theirs: str, ours: str) -> bool:
    if UNKNOWN not in theirs:
        return theirs == ours
    pattern = re.escape(theirs).replace(re.escape(UNKNOWN), ".*?")
    return re.fullmatch(pattern, ours) is not None


def _text(annotation: Any) -> str:
    """An annotation without names of modules, in one spelling for what may be spelt in several ways."""
    if annotation is inspect.Parameter.empty or annotation is _ABSENT:
        return UNKNOWN
    if not isinstance(annotation, str):
        annotation = _spelt(annotation)
    text = ast.unparse(_Plain().visit(ast.parse(annotation.strip(), mode="eval")))
    return UNKNOWN if re.search(r"(?<!\w)_[A-Z]\w*", text) else text  # a private class: no caller can name it


def _spelt(annotation: Any) -> str:
    if isinstance(annotation, typing.ForwardRef):
        return annotation.__forward_arg__
    if isinstance(annotation, typing.TypeVar):
        return annotation.__name__
    if annotation is None or annotation is type(None):
        return "None"
    if inspect.isclass(annotation) and not isinstance(annotation, types.GenericAlias):
        return annotation.__qualname__.replace("<locals>.", "")
    text = re.sub(r"ForwardRef\('([^']*)'[^)]*\)", r"\1", repr(annotation))
    return re.sub(r"<class '([^']*)'>", r"\1", re.sub(r"(?<![\w.])[~+-](?=\w)", "", text)).replace("NoneType", "None")


class _Plain(ast.NodeTransformer):
    """Takes module names off, writes unions with bars and in order, and leaves out arguments that say nothing."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return ast.Name(node.attr)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name({"List": "list", "Dict": "dict", "Tuple": "tuple", "Type": "type", "Set": "set"}.get(node.id, node.id))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and node.value.replace(".", "").replace("[", "").replace("]", "").isidentifier():
            return self.visit(ast.parse(node.value, mode="eval").body)  # type: ignore[no-any-return]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        base = self.visit(node.value)
        if isinstance(base, ast.Name) and base.id == "Literal":
            return ast.Subscript(base, node.slice)
        inner = self.visit(node.slice)
        args = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        if isinstance(base, ast.Name) and base.id == "Union":
            return self._union(args)
        if isinstance(base, ast.Name) and base.id == "Optional":
            return self._union([*args, ast.Constant(None)])
        if all(ast.unparse(arg) in ("Any", "...", "Ellipsis") for arg in args):
            return base  # type: ignore[no-any-return]
        return ast.Subscript(base, inner)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._union([self.visit(node.left), self.visit(node.right)])

    def _union(self, members: list[ast.expr]) -> ast.AST:
        texts = {part for member in members for part in _bars(member)}
        return ast.parse(" | ".join(sorted(texts)), mode="eval").body


def _bars(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.BinOp):
        yield from _bars(node.left)
        yield from _bars(node.right)
    else:
        yield ast.unparse(node)
