"""Where settings come from: a TOML file, then the environment, then flags; the later one wins."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from outlast.cli.settings import BadFlag, BadSetting, ServerSettings, flag_of

ENVIRONMENT_PREFIX = "OUTLAST_"
CONFIG_VARIABLE = "OUTLAST_CONFIG"
"""Names the TOML file, as `--config` does."""
Layer = Mapping[str, object]
"""Checked values of some settings, by name."""
Blame = Callable[[str, object, str], BadSetting]
"""Setting, value and what was expected, to the error that says where the value stands."""

_HINTS: Mapping[str, object] = get_type_hints(ServerSettings, include_extras=True)


def merge(*layers: Layer) -> ServerSettings:
    """The settings of these layers; a later one wins, and what none of them sets has its default."""
    return msgspec.convert({name: value for layer in layers for name, value in layer.items()}, ServerSettings)


def from_flags(flags: Mapping[str, object]) -> Layer:
    """`flags`: setting to what was typed; None, an empty sequence or False: not given. Raises BadFlag."""

    def blame(name: str, value: object, expected: str) -> BadSetting:
        return BadFlag(f"{flag_of(name)} {_shown(value)}: expected {expected}")

    given = {name: value for name, value in flags.items() if value is not None and value is not False and value != () and value != []}
    return {name: _checked(name, value, blame, lax=True) for name, value in given.items()}


def from_environment(environment: Mapping[str, str]) -> Layer:
    """What OUTLAST_* variables set; lists and maps are comma separated. Raises BadSetting."""

    def blame(name: str, value: object, expected: str) -> BadSetting:
        return BadSetting(f"environment: {_variable(name)}={_shown(value)}: expected {expected}")

    layer: dict[str, object] = {}
    for name, hint in _HINTS.items():
        text = environment.get(_variable(name))
        if text:  # an empty variable is one that is not set, as compose files write it
            value = [part.strip() for part in text.split(",") if part.strip()] if get_origin(hint) in (tuple, dict) else text
            layer[name] = _checked(name, value, blame, lax=True)
    return layer


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """OUTLAST_* variables that set nothing: mistyped, or somebody else's."""
    known = {_variable(name) for name in _HINTS} | {CONFIG_VARIABLE}
    return sorted(name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known)


def from_file(path: Path) -> Layer:
    """What a TOML file sets. Raises BadSetting."""

    def blame(name: str, value: object, expected: str) -> BadSetting:
        return BadSetting(f"{path}: {name} = {_shown(value)}: expected {expected}")

    layer: dict[str, object] = {}
    for name, value in _parse(path).items():
        if name not in _HINTS:
            raise blame(name, value, _known_setting(name))
        layer[name] = _checked(name, value, blame, lax=False)
    return layer


def _parse(path: Path) -> Layer:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"{path}: the settings file cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path}: not a TOML file: {error}") from error


def _known_setting(name: str) -> str:
    near = get_close_matches(name, _HINTS, 1)
    return f"a known setting; did you mean {near[0]}?" if near else f"a known setting, one of {', '.join(_HINTS)}"


def _variable(name: str) -> str:
    return ENVIRONMENT_PREFIX + name.upper()


def _shown(value: object) -> str:
    """A value as its operator would write it, on one line."""
    if isinstance(value, str):
        return value if value.isprintable() and value.strip() == value != "" else repr(value)
    return msgspec.json.encode(value, enc_hook=str).decode()


# Checking


def _checked(name: str, value: object, blame: Blame, *, lax: bool) -> object:
    """`lax`: the value is text, or a list of texts, that stands for its type."""
    hint = _HINTS[name]
    match get_origin(hint):
        case t if t is tuple:
            item = get_args(hint)[0]
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise blame(name, value, f"a list, each of it {_expected(item)}")
            return tuple(_one(name, each, item, blame, lax) for each in value)
        case t if t is dict:
            return _checked_map(name, value, blame, lax)
        case _:
            return _one(name, value, hint, blame, lax)


def _checked_map(name: str, value: object, blame: Blame, lax: bool) -> Mapping[str, object]:
    key_hint, value_hint = get_args(_HINTS[name])
    expected = f"NAME=VALUE, with a value that is {_expected(value_hint)}"

    def blame_pair(name: str, pair: object, _: str) -> BadSetting:
        return blame(name, pair, expected)

    pairs: list[tuple[object, object]] = []
    if isinstance(value, Mapping):
        pairs = [(key, each if isinstance(each, str) else msgspec.json.encode(each, enc_hook=str).decode()) for key, each in value.items()]
    elif lax and isinstance(value, list):
        pairs = [_split(name, each, blame_pair) for each in value]
    else:
        raise blame(name, value, f"a table of names to values, each of them {_expected(value_hint)}")
    checked: dict[str, object] = {}
    for key, each in pairs:
        try:
            checked[str(_convert(key, key_hint, lax))] = _convert(each, value_hint, lax)
        except msgspec.ValidationError as error:
            raise blame_pair(name, f"{key}={each}", expected) from error
    return checked


def _split(name: str, pair: str, blame: Blame) -> tuple[object, object]:
    key, equals, value = pair.partition("=")
    if not equals:
        raise blame(name, pair, "")
    return key.strip(), value.strip()


def _one(name: str, value: object, hint: object, blame: Blame, lax: bool) -> object:
    try:
        return _convert(value, hint, lax)
    except msgspec.ValidationError as error:
        raise blame(name, value, _expected(hint)) from error


def _convert(value: object, hint: object, lax: bool) -> object:
    if get_origin(hint) is Literal and isinstance(value, str):
        choices = {choice.lower(): choice for choice in get_args(hint)}
        value = choices.get(value.lower(), value)
    return msgspec.convert(value, hint, strict=not lax)


def _expected(hint: object) -> str:
    """A type in the operator's words."""
    options = [each for each in get_args(hint) if each is not NoneType]
    for meta in getattr(hint, "__metadata__", ()):
        return str(meta.description)
    if get_origin(hint) is Literal:
        return f"one of {', '.join(options)}"
    if options:
        return _expected(options[0])
    return {bool: "true or false", str: "a text"}.get(hint, str(hint))  # type: ignore[call-overload, no-any-return]
