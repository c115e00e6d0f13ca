"""Finds the payloads in any message, and puts others in their place.

Which fields of a message type lead to payloads is worked out once, from its descriptor. Search attributes are never
touched: they belong to the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, cast

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload

Transform: TypeAlias = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]
"""From payloads to those that take their place: a codec's `encode` or `decode`."""

_PAYLOAD = "temporal.api.common.v1.Payload"
_HEADER = "temporal.api.common.v1.Header"
_ANY = "google.protobuf.Any"
_CLOSED = frozenset({"temporal.api.common.v1.SearchAttributes"})
# What stands in an Any: the bodies of update messages. Everything else in one is none of our business.
_IN_ANY = "temporal.api.update.v1."


class _Kind(Enum):
    PAYLOAD = 1
    PAYLOADS = 2
    PAYLOAD_MAP = 3
    MESSAGE = 4
    MESSAGES = 5
    MESSAGE_MAP = 6


class _Field(NamedTuple):
    name: str
    kind: _Kind
    type: Descriptor


class _Plan(NamedTuple):
    """Which fields of a message type lead to payloads."""

    fields: Sequence[_Field]
    choices: Sequence[tuple[str, Mapping[str, _Field]]]
    """The oneofs: name, and the members that lead to payloads. A history event has sixty; asking which is set is one call."""


class Slots:
    """Places of payloads in messages, found first and filled later, so that finding needs no `await`."""

    __slots__ = ("_anys", "lists", "singles")

    def __init__(self) -> None:
        self.singles: list[Payload] = []
        self.lists: list[Any] = []
        self._anys: list[tuple[AnyMessage, Message, bytes]] = []

    def find(self, message: Message, *, headers: bool = True) -> None:
        """Add the places in a message, but for those in headers, if they are not wanted."""
        self._walk(message, _plan(cast(Descriptor, message.DESCRIPTOR)), headers)

    async def fill(self, transform: Transform) -> None:
        """Transform the payloads of each place: those of a list together, as one call's arguments are."""
        for payload in self.singles:
            payload.CopyFrom((await transform([payload]))[0])
        for payloads in self.lists:
            if payloads:
                new = await transform(payloads)
                del payloads[:]
                payloads.extend(new)
        for packed, body, before in self._anys:
            after = body.SerializeToString()
            if after != before:
                packed.value = after

    def _walk(self, message: Message, plan: _Plan, headers: bool) -> None:
        for field in plan.fields:
            kind = field.kind
            if kind is _Kind.MESSAGE or kind is _Kind.PAYLOAD:
                if message.HasField(field.name):
                    self._take(message, field, headers)
            else:
                self._take(message, field, headers)
        for name, members in plan.choices:
            chosen = message.WhichOneof(name)
            if chosen is not None and (member := members.get(chosen)) is not None:
                self._take(message, member, headers)

    def _take(self, message: Message, field: _Field, headers: bool) -> None:
        value = getattr(message, field.name)
        match field.kind:
            case _Kind.PAYLOAD:
                self.singles.append(value)
            case _Kind.PAYLOADS:
                self.lists.append(value)
            case _Kind.PAYLOAD_MAP:
                self.singles.extend(value.values())
            case _Kind.MESSAGE:
                self._enter(value, field.type, headers)
            case _Kind.MESSAGES:
                for item in value:
                    self._enter(item, field.type, headers)
            case _Kind.MESSAGE_MAP:
                for item in value.values():
                    self._enter(item, field.type, headers)

    def _enter(self, message: Message, type: Descriptor, headers: bool) -> None:
        if type.full_name == _ANY:
            self._open(cast(AnyMessage, message), headers)
        elif headers or type.full_name != _HEADER:
            self._walk(message, _plan(type), headers)

    def _open(self, packed: AnyMessage, headers: bool) -> None:
        name = packed.TypeName()
        if not name.startswith(_IN_ANY):
            return
        type = descriptor_pool.Default().FindMessageTypeByName(name)
        body = message_factory.GetMessageClass(type)()
        packed.Unpack(body)
        self._anys.append((packed, body, packed.value))
        self._walk(body, _plan(type), headers)


async def transform_payloads(message: Message, transform: Transform, *, headers: bool = True) -> None:
    """Put transformed payloads in place of those in a message, however deep; `headers` says whether those of headers, too."""
    slots = Slots()
    slots.find(message, headers=headers)
    await slots.fill(transform)


_plans: dict[str, _Plan] = {}


def _plan(type: Descriptor) -> _Plan:
    plan = _plans.get(type.full_name)
    if plan is None:
        plan = _plans[type.full_name] = _make_plan(type)
    return plan


def _make_plan(type: Descriptor) -> _Plan:
    fields: list[_Field] = []
    choices: MutableMapping[str, dict[str, _Field]] = {}
    for descriptor in () if type.full_name in _CLOSED else type.fields:
        field = _field(descriptor)
        if field is None:
            continue
        oneof = descriptor.containing_oneof
        if oneof is None:
            fields.append(field)
        else:
            choices.setdefault(oneof.name, {})[field.name] = field
    return _Plan(tuple(fields), tuple(choices.items()))


def _field(descriptor: FieldDescriptor) -> _Field | None:
    type = descriptor.message_type
    if type is None:
        return None
    is_map = type.GetOptions().map_entry
    if is_map:
        type = type.fields_by_name["value"].message_type
    if type is None or not _leads_to_payloads(type):
        return None
    is_payload = type.full_name == _PAYLOAD
    if is_map:
        kind = _Kind.PAYLOAD_MAP if is_payload else _Kind.MESSAGE_MAP
    elif descriptor.is_repeated:
        kind = _Kind.PAYLOADS if is_payload else _Kind.MESSAGES
    else:
        kind = _Kind.PAYLOAD if is_payload else _Kind.MESSAGE
    return _Field(descriptor.name, kind, type)


def _leads_to_payloads(type: Descriptor) -> bool:
    """Whether a payload can be reached from a message type. A search, since types refer to themselves (a failure's cause)."""
    seen: set[str] = set()
    ahead = [type]
    while ahead:
        here = ahead.pop()
        if here.full_name in (_PAYLOAD, _ANY):
            return True
        if here.full_name in seen or here.full_name in _CLOSED:
            continue
        seen.add(here.full_name)
        ahead.extend(field.message_type for field in here.fields if field.message_type is not None)
    return False
