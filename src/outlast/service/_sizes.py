"""Warns of payloads that servers may refuse."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from google.protobuf.message import Message
from temporalio.api.common.v1 import Memo, Payload, Payloads

from outlast.service._config import PayloadLimitsConfig

logger = logging.getLogger("outlast.service")

_TEXT = "[TMPRL1103] Attempted to upload %s with size that exceeded the warning limit. Call: %s, size: %d bytes, limit: %d bytes"


def warn_of_large(rpc: str, request: Message, size: int, limits: PayloadLimitsConfig) -> None:
    """Log a warning for each memo and each field of payloads in the request that is larger than its limit.

    ``size`` is that of the whole request: nothing in it is larger. A request that is too small for large payloads is looked through for
    a memo of its own only, and not for those of its commands.
    """
    payloads_max, memo_max = limits.payloads_warn_size, limits.memo_warn_size
    if payloads_max and size > payloads_max:
        for part in _parts(request):
            if isinstance(part, Memo):
                _warn("memo", rpc, part, memo_max)
            else:
                _warn("payloads", rpc, part, payloads_max)
    elif memo_max and size > memo_max and "memo" in request.DESCRIPTOR.fields_by_name:
        memo: Memo = getattr(request, "memo")  # noqa: B009 (not all messages have one)
        _warn("memo", rpc, memo, memo_max)


def _warn(what: str, rpc: str, part: Message, size_max: int) -> None:
    size = part.ByteSize()
    if size_max and size > size_max:
        logger.warning(_TEXT, what, rpc, size, size_max)


def _parts(message: Message) -> Iterator[Message]:
    """The memos and payloads in a message, each as its field has it."""
    if isinstance(message, Memo | Payloads | Payload):
        yield message
        return
    for field, value in message.ListFields():
        kind = field.message_type
        if kind is None:
            continue
        if kind.GetOptions().map_entry:
            if kind.fields_by_name["value"].message_type is not None:
                for each in value.values():
                    yield from _parts(each)
        elif field.is_repeated:
            for each in value:
                yield from _parts(each)
        else:
            yield from _parts(value)
