"""The memo and the search attributes of a run, as its code reads and changes them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from temporalio.api.common.v1 import Payload

from outlast import common
from outlast.converter import encode_search_attribute_values, encode_typed_search_attribute_value
from outlast.replay import kinds
from outlast.replay.flags import UPSERT_ON_PATCH
from outlast.replay.machines.patch import VERSION_ATTRIBUTE
from outlast.replay.wire import make_command

if TYPE_CHECKING:
    from temporalio.api.sdk.v1 import EventGroupMarker

    from outlast.replay.instance import Instance

Markers = Sequence["EventGroupMarker"]


def memo(instance: Instance) -> Mapping[str, Any]:
    """All of it, converted without hints."""
    converter = instance.converters.own.payload
    return {key: converter.from_payload(payload) for key, payload in instance.raw_memo.items()}


def memo_value(instance: Instance, key: str, default: Any, type_hint: type | None) -> Any:
    """One value. Raises KeyError if there is none, and no default."""
    payload = instance.raw_memo.get(key)
    if payload is None:
        if default is common._arg_unset:
            raise KeyError(f"Memo does not have a value for key {key}")
        return default
    return instance.converters.own.payload.from_payloads([payload], [type_hint] if type_hint else None)[0]


def upsert_memo(instance: Instance, updates: Mapping[str, Any], markers: Markers) -> None:
    """Set values; None removes one."""
    converter = instance.converters.own.payload
    payloads = {key: converter.to_payload(value) for key, value in updates.items()}
    if not payloads:
        return
    instance.ask_plain(
        kinds.PROPERTIES_MODIFIED,
        f"memo {sorted(payloads)}",
        lambda: make_command(16, "modify_workflow_properties_command_attributes", {"upserted_memo": {"fields": payloads}}, None, markers),
    )
    for key, payload in payloads.items():
        if updates[key] is None:
            instance.raw_memo.pop(key, None)
        else:
            instance.raw_memo[key] = payload


def upsert_search_attributes(
    instance: Instance,
    attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate[Any]],
    markers: Markers,
) -> None:
    """Set search attributes, untyped as a mapping or typed as a list of updates."""
    if isinstance(attributes, Mapping):
        payloads = {name: encode_search_attribute_values(values) for name, values in attributes.items()}
    else:
        payloads = {update.key.name: encode_typed_search_attribute_value(update.key, update.value) for update in attributes}
    instance.upserted.update(payloads)
    sent = payloads
    flags, ledger = instance.ledger.flags, instance.ledger
    # That attribute belongs to patches; the command is still sent, since histories have it.
    if VERSION_ATTRIBUTE in payloads and flags.core_allows(UPSERT_ON_PATCH, replaying=ledger.replaying):
        sent = {}
    instance.ask_plain(
        kinds.SEARCH_ATTRIBUTES_UPSERTED,
        f"search attributes {sorted(payloads)}",
        lambda: make_command(13, "upsert_workflow_search_attributes_command_attributes", _attributes(sent), None, markers),
    )
    if isinstance(attributes, Mapping):
        _remember_untyped(instance, attributes)
    else:
        _remember_typed(instance, attributes)


def _attributes(payloads: Mapping[str, Payload]) -> dict[str, Any]:
    return {"search_attributes": {"indexed_fields": payloads}}


def _remember_untyped(instance: Instance, attributes: common.SearchAttributes) -> None:
    untyped, typed = _mutable(instance)
    untyped.update(attributes)
    for name, values in attributes.items():
        if not values:
            _forget(typed, name)
            continue
        # The type can only be guessed from the values, and some cannot be guessed.
        key = common.SearchAttributeKey._guess_from_untyped_values(name, values)
        if key is None:
            continue
        is_list = key.indexed_value_type == common.SearchAttributeIndexedValueType.KEYWORD_LIST
        if is_list or len(values) == 1:
            _replace(typed, common.SearchAttributePair(key, values if is_list else values[0]))


def _remember_typed(instance: Instance, updates: Sequence[common.SearchAttributeUpdate[Any]]) -> None:
    untyped, typed = _mutable(instance)
    for update in updates:
        if update.value is None:
            _forget(typed, update.key.name)
            untyped[update.key.name] = cast("list[str]", [])
            continue
        _replace(typed, common.SearchAttributePair(update.key, update.value))
        is_list = update.key.indexed_value_type == common.SearchAttributeIndexedValueType.KEYWORD_LIST
        untyped[update.key.name] = list(update.value) if is_list else [update.value]


def _mutable(
    instance: Instance,
) -> tuple[MutableMapping[str, common.SearchAttributeValues], list[common.SearchAttributePair[Any]]]:
    """The attributes in `Info`, which change in place."""
    info = instance.info
    untyped = cast("MutableMapping[str, common.SearchAttributeValues]", info.search_attributes)
    return untyped, cast("list[common.SearchAttributePair[Any]]", info.typed_search_attributes.search_attributes)


def _forget(typed: list[common.SearchAttributePair[Any]], name: str) -> None:
    typed[:] = [pair for pair in typed if pair.key.name != name]


def _replace(typed: list[common.SearchAttributePair[Any]], pair: common.SearchAttributePair[Any]) -> None:
    for index, other in enumerate(typed):
        if other.key.name == pair.key.name:
            typed[index] = pair
            return
    typed.append(pair)
