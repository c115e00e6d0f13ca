"""A data converter that knows Pydantic models (version 2), and whatever else Pydantic can turn into JSON.

client = await Client.connect("localhost:7233", data_converter=pydantic_data_converter)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import temporalio.api.common.v1
from pydantic import TypeAdapter
from pydantic_core import SchemaSerializer, to_json
from pydantic_core.core_schema import any_schema

from outlast.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)

_TEMPLATE = temporalio.api.common.v1.Payload(metadata={"encoding": b"json/plain"})


@dataclass
class ToJsonOptions:
    """How Pydantic writes JSON."""

    exclude_unset: bool = False
    """Leave out fields that were never set."""


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON written and read by Pydantic: models, dataclasses, dates, sets, UUIDs, and types made of them.

    Can be pickled; the type adapters that it remembers stay behind.
    """

    def __init__(self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024) -> None:
        """Make a converter.

        Args:
            to_json_options: How JSON is written.
            max_cached_type_adapters: How many type adapters are remembered, those used last; None for all, 0 for none.

        Raises:
            ValueError: The number is negative.
        """
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError("max_cached_type_adapters cannot be negative")
        self._schema_serializer = SchemaSerializer(any_schema())
        self._to_json_options = to_json_options
        self._type_adapter = _remembering(max_cached_type_adapters)

    def __getstate__(self) -> dict[str, Any]:
        """The state, with the size of the memory in place of the memory."""
        return {**self.__dict__, "_type_adapter": self._type_adapter.cache_parameters()["maxsize"]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state, with an empty memory."""
        self.__dict__.update(state, _type_adapter=_remembering(state["_type_adapter"]))

    @property
    def encoding(self) -> str:
        """Name of the encoding."""
        return "json/plain"

    def to_payload(self, value: Any) -> temporalio.api.common.v1.Payload | None:
        """Take anything. What Pydantic says about a value that it cannot write is raised."""
        payload = temporalio.api.common.v1.Payload()
        payload.CopyFrom(_TEMPLATE)
        if self._to_json_options:
            payload.data = self._schema_serializer.to_json(value, exclude_unset=self._to_json_options.exclude_unset)
        else:
            payload.data = to_json(value)
        return payload

    def from_payload(self, payload: temporalio.api.common.v1.Payload, type_hint: type | None = None) -> Any:
        """The value, validated against the hint. What Pydantic finds wrong is raised."""
        hint: Any = Any if type_hint is None else type_hint
        try:
            adapter = self._type_adapter(hint)
        except TypeError:
            if _is_hashable(hint):
                raise  # it is the hint that Pydantic does not accept
            adapter = TypeAdapter(hint)
        return adapter.validate_json(payload.data)


class PydanticPayloadConverter(CompositePayloadConverter):
    """The default payload converter, with Pydantic in place of plain JSON."""

    def __init__(self, to_json_options: ToJsonOptions | None = None, *, max_cached_type_adapters: int | None = 1024) -> None:
        """Make a converter.

        A data converter constructs its payload converter without arguments; to give some, derive a class.

        Args:
            to_json_options: How JSON is written.
            max_cached_type_adapters: How many type adapters are remembered, those used last; None for all, 0 for none.
        """
        json = PydanticJSONPlainPayloadConverter(to_json_options, max_cached_type_adapters=max_cached_type_adapters)
        defaults = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(*(json if isinstance(part, JSONPlainPayloadConverter) else part for part in defaults))


def _remembering(size: int | None) -> functools._lru_cache_wrapper[TypeAdapter[Any]]:
    return functools.lru_cache(maxsize=size)(TypeAdapter)


def _is_hashable(hint: Any) -> bool:
    try:
        hash(hint)
    except TypeError:
        return False
    return True


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""The data converter to give to a client."""
