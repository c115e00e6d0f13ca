"""Search attributes to messages and back. They are always converted by the default converter, since the server reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import temporalio.api.common.v1

import outlast.common
from outlast.common import SearchAttributeIndexedValueType, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from outlast.converter._encodings import DefaultPayloadConverter

_CONVERTER = DefaultPayloadConverter()


def encode_search_attributes(
    attributes: outlast.common.SearchAttributes | outlast.common.TypedSearchAttributes,
    api: temporalio.api.common.v1.SearchAttributes,
) -> None:
    """Write search attributes to a message. Those that are no `TypedSearchAttributes` are deprecated."""
    if isinstance(attributes, TypedSearchAttributes):
        for key, value in attributes:
            api.indexed_fields[key.name].CopyFrom(encode_typed_search_attribute_value(key, value))
        return
    for name, values in (attributes or {}).items():
        api.indexed_fields[name].CopyFrom(encode_search_attribute_values(values))


def encode_typed_search_attribute_value(
    key: outlast.common.SearchAttributeKey[outlast.common.SearchAttributeValueType],
    value: outlast.common.SearchAttributeValue | None,
) -> temporalio.api.common.v1.Payload:
    """The payload of a value; of None the one that removes the attribute.

    Raises:
        TypeError: The value is not of the key's type.
        ValueError: The value is a moment without a time zone.
    """
    if value is None:
        return _CONVERTER.to_payload(None)  # without a type, or the server would refuse it
    if not isinstance(value, key.origin_value_type):
        raise TypeError(f"Value of type {value} not suitable for indexed value type {key.indexed_value_type}")
    if isinstance(value, datetime):
        value = _iso(value)
    elif not isinstance(value, str) and isinstance(value, Sequence) and not all(isinstance(item, str) for item in value):
        raise TypeError("All values of a keyword list must be strings")
    payload = _CONVERTER.to_payload(value)
    payload.metadata["type"] = key._metadata_type.encode()
    return payload


def encode_search_attribute_values(vals: outlast.common.SearchAttributeValues) -> temporalio.api.common.v1.Payload:
    """The payload of values without a key. Deprecated.

    Raises:
        TypeError: The values are no list, or not all of one type that the server knows.
        ValueError: A value is a moment without a time zone.
    """
    if not isinstance(vals, list):
        raise TypeError("Search attribute values must be lists")
    common_type: type | None = None
    encoded: list[Any] = []
    for value in vals:
        if isinstance(value, datetime):
            encoded.append(_iso(value))
            continue
        if not isinstance(value, str | int | float | bool):
            kind = type(value).__name__
            raise TypeError(f"Search attribute value of type {kind} not one of str, int, float, bool, or datetime")
        if common_type and type(value) is not common_type:
            raise TypeError("Search attribute values must have the same type for the same key")
        common_type = type(value)
        encoded.append(value)
    return _CONVERTER.to_payload(encoded)


def decode_search_attributes(api: temporalio.api.common.v1.SearchAttributes) -> outlast.common.SearchAttributes:
    """The values that a message holds, each in a list. Deprecated: use `decode_typed_search_attributes`."""
    decoded = {}
    for name, payload in api.indexed_fields.items():
        value = _CONVERTER.from_payload(payload)
        values = value if isinstance(value, list) else [value]
        if payload.metadata.get("type") == b"Datetime":
            values = [datetime.fromisoformat(item) for item in values]
        decoded[name] = values
    return decoded


def decode_typed_search_attributes(api: temporalio.api.common.v1.SearchAttributes) -> outlast.common.TypedSearchAttributes:
    """The attributes that a message holds, without those whose type is not known or does not fit the value."""
    pairs = (_typed_pair(name, payload) for name, payload in api.indexed_fields.items())
    return TypedSearchAttributes([pair for pair in pairs if pair is not None])


def _typed_pair(name: str, payload: temporalio.api.common.v1.Payload) -> SearchAttributePair[Any] | None:
    key = SearchAttributeKey._from_metadata_type(name, payload.metadata.get("type", b"").decode())
    if key is None:
        return None
    value: Any = _CONVERTER.from_payload(payload)
    kind = key.indexed_value_type
    if isinstance(value, list) and kind != SearchAttributeIndexedValueType.KEYWORD_LIST:
        if len(value) != 1:
            return None
        value = value[0]
    if kind == SearchAttributeIndexedValueType.DATETIME:
        value = datetime.fromisoformat(value)
    elif kind == SearchAttributeIndexedValueType.DOUBLE and type(value) is int:
        value = float(value)  # servers write 1.0 as 1
    return SearchAttributePair(key, value) if isinstance(value, key.origin_value_type) else None


def _encode_maybe_typed_search_attributes(
    non_typed_attributes: outlast.common.SearchAttributes | None,
    typed_attributes: outlast.common.TypedSearchAttributes | None,
    api: temporalio.api.common.v1.SearchAttributes,
) -> None:
    has_typed = bool(typed_attributes and typed_attributes.search_attributes)
    if non_typed_attributes and has_typed:
        raise ValueError("Cannot provide both deprecated search attributes and typed search attributes")
    if non_typed_attributes:
        encode_search_attributes(non_typed_attributes, api)
    elif typed_attributes and has_typed:
        encode_search_attributes(typed_attributes, api)


def _decode_search_attribute_value(payload: temporalio.api.common.v1.Payload) -> outlast.common.SearchAttributeValue:
    value: outlast.common.SearchAttributeValue = _CONVERTER.from_payload(payload)
    if isinstance(value, str) and payload.metadata.get("type") == b"Datetime":
        return datetime.fromisoformat(value)
    return value


def _iso(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("Timezone must be present on all search attribute dates")
    return moment.isoformat()
