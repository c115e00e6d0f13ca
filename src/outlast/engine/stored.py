"""The stored form of a run's state: its core, and each of its parts apart, so that a transition writes what it changed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from outlast.engine.keys import PartKey
from outlast.engine.parts import Parts
from outlast.engine.state import Activity, Attached, Callback, Child, Execution, External, Run, Timer, Update

PARTS = {
    "a": "activities",
    "t": "timers",
    "c": "children",
    "x": "externals",
    "p": "updates",
    "k": "callbacks",
    "u": "attached",
    "r": "request_ids",
    "b": "buffer",
    "m": "memo",
    "s": "search_attributes",
    "o": "origin",
}
"""The kinds of parts and the fields of Execution that hold them."""

_encode = msgspec.msgpack.Encoder().encode
_decode_run = msgspec.msgpack.Decoder(Run).decode
_decode_activity = msgspec.msgpack.Decoder(Activity).decode
_decode_timer = msgspec.msgpack.Decoder(Timer).decode
_decode_child = msgspec.msgpack.Decoder(Child).decode
_decode_external = msgspec.msgpack.Decoder(External).decode
_decode_update = msgspec.msgpack.Decoder(Update).decode
_decode_callback = msgspec.msgpack.Decoder(Callback).decode
_decode_attached = msgspec.msgpack.Decoder(Attached).decode
_decode_int = msgspec.msgpack.Decoder(int).decode


def encode_core(run: Run) -> bytes:
    """The stored form of a run's core."""
    return _encode(run)


def encode_part(value: Activity | Timer | Child | External | Update | Callback | Attached | int | bytes) -> bytes:
    """The stored form of one part."""
    return value if isinstance(value, bytes) else _encode(value)


def decode_execution(core: bytes, parts: Mapping[PartKey, bytes]) -> Execution:
    """The state that was stored as `core` and `parts`."""
    of_kind: dict[str, dict[str, bytes]] = {kind: {} for kind in PARTS}
    for (kind, part_id), data in parts.items():
        of_kind[kind][part_id] = data
    run = _decode_run(core)
    if run.workflow_task is not None and run.workflow_task.speculative:
        run.workflow_task = None
    return Execution(
        run=run,
        activities=Parts({int(i): _decode_activity(d) for i, d in _in_order(of_kind["a"])}, timed=True),
        timers=Parts({i: _decode_timer(d) for i, d in of_kind["t"].items()}, timed=True),
        children=Parts({int(i): _decode_child(d) for i, d in _in_order(of_kind["c"])}, timed=True),
        externals=Parts({int(i): _decode_external(d) for i, d in _in_order(of_kind["x"])}),
        updates=Parts({i: _decode_update(d) for i, d in of_kind["p"].items()}),
        callbacks=Parts({int(i): _decode_callback(d) for i, d in _in_order(of_kind["k"])}, timed=True),
        attached=Parts({i: _decode_attached(d) for i, d in of_kind["u"].items()}),
        request_ids=Parts({i: _decode_int(d) for i, d in of_kind["r"].items()}),
        buffer=Parts({int(i): d for i, d in _in_order(of_kind["b"])}),
        memo=Parts(of_kind["m"]),
        search_attributes=Parts(of_kind["s"]),
        origin=of_kind["o"].get("", b""),
    )


def _in_order(parts: dict[str, bytes]) -> list[tuple[str, bytes]]:
    return sorted(parts.items(), key=lambda item: int(item[0]))
