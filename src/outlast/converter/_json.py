"""JSON payloads of plain Python values."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import uuid
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

import temporalio.api.common.v1

from outlast.converter._payload_converter import EncodingPayloadConverter
from outlast.converter._typed_values import JSONTypeConverter, TypedValues


class AdvancedJSONEncoder(json.JSONEncoder):
    """Knows more than JSON does: datetimes, dataclasses, UUIDs, objects with a method `dict`, and any iterable."""

    def default(self, o: Any) -> Any:
        """What stands for an object that JSON does not know."""
        if isinstance(o, datetime):
            return o.isoformat()
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return _fields_of(o)
        as_dict = getattr(o, "dict", None)  # models of Pydantic 1
        if callable(as_dict):
            return as_dict()
        if not isinstance(o, list) and isinstance(o, collections.abc.Iterable):
            return list(o)
        if isinstance(o, uuid.UUID):
            return str(o)
        return super().default(o)


def _fields_of(instance: Any) -> dict[str, Any]:
    """`dataclasses.asdict`, but without copies of what is printed at once anyway: a third of the time."""
    kind: Any = type(instance)
    try:
        return {name: _unfolded(getattr(instance, name)) for name in _field_names(kind)}
    except _StrangeContainer:
        return dataclasses.asdict(instance)


class _StrangeContainer(Exception):
    """A subclass of a container, of which `asdict` knows what to make."""


def _unfolded(value: Any) -> Any:
    """A value with its dataclasses as dicts, also those that JSON would take for something else."""
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if kind is list or kind is tuple:
        return [_unfolded(item) for item in value]
    if kind is dict and all(type(key) in _ATOMS for key in value):
        return {key: _unfolded(item) for key, item in value.items()}
    if names := _field_names(kind):
        return {name: _unfolded(getattr(value, name)) for name in names}
    if isinstance(value, list | tuple | dict) or dataclasses.is_dataclass(kind):
        raise _StrangeContainer
    return value


_ATOMS = frozenset({str, int, float, bool, type(None)})


@lru_cache(maxsize=1024)
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


_SEPARATORS = (",", ":")
_scan = json.JSONDecoder().raw_decode
# What these print is what a JSON encoder prints; only the exact types, since a subclass may print itself otherwise.
_PRINTERS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
}


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Whatever JSON can hold, as `json/plain`, its keys in order. Types are rebuilt from hints."""

    _decides_by_type = True

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = [],
    ) -> None:
        """Make a converter.

        Args:
            encoder: Class of the JSON encoder; None for the plain one.
            decoder: Class of the JSON decoder; None for the plain one.
            encoding: Name of the encoding, written into each payload.
            custom_type_converters: Are asked first when a value is brought to its hinted type.
        """
        super().__init__()
        self._encoder = encoder
        self._decoder = decoder
        self._encoding = encoding
        self._template = temporalio.api.common.v1.Payload(metadata={"encoding": encoding.encode()})
        self._custom_type_converters = custom_type_converters
        self._typed_values = TypedValues(custom_type_converters)
        # An encoder of somebody else may keep something between calls, so it gets a new object for each.
        self._dumps = self._print if encoder is None or encoder is AdvancedJSONEncoder else self._dumps_anew
        self._print_any = (encoder or json.JSONEncoder)(separators=_SEPARATORS, sort_keys=True).encode

    @property
    def encoding(self) -> str:
        """Name of the encoding."""
        return self._encoding

    def to_payload(self, value: Any) -> temporalio.api.common.v1.Payload | None:
        """Take anything. What JSON says about a value that it cannot hold is raised."""
        payload = temporalio.api.common.v1.Payload()
        payload.CopyFrom(self._template)  # a quarter of the time that a constructor takes with a dict
        payload.data = self._dumps(value).encode()
        return payload

    def from_payload(self, payload: temporalio.api.common.v1.Payload, type_hint: type | None = None) -> Any:
        """The value, brought to the hinted type.

        Raises:
            RuntimeError: The payload is no JSON.
            TypeError: The value cannot be brought to the hinted type.
        """
        try:
            value = _loads(payload.data) if self._decoder is None else json.loads(payload.data, cls=self._decoder)
        except json.JSONDecodeError as err:
            raise RuntimeError("Failed parsing") from err
        return self._typed_values.convert(type_hint, value) if type_hint else value

    def _print(self, value: Any) -> str:
        printer = _PRINTERS.get(type(value))
        if printer is not None:
            return printer(value)
        _warn_of_pydantic(value)
        return self._print_any(value)

    def _dumps_anew(self, value: Any) -> str:
        _warn_of_pydantic(value)
        return json.dumps(value, cls=self._encoder, separators=_SEPARATORS, sort_keys=True)


def _loads(data: bytes) -> Any:
    """`json.loads`, but faster for what is written as we write it: UTF-8 without space around it."""
    try:
        text = data.decode()
        value, end = _scan(text)
    except ValueError:
        return json.loads(data)  # which knows other encodings, and says what is wrong
    return value if end == len(text) else json.loads(data)


def _warn_of_pydantic(value: Any) -> None:
    if hasattr(value, "parse_obj"):
        warnings.warn(
            "A Pydantic model loses its types here: use outlast.contrib.pydantic.pydantic_data_converter (Pydantic 2).",
            stacklevel=2,
        )
