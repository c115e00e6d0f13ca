"""Replays histories in a process whose strings hash differently: there, sets and what hangs on their order come out differently."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outlast.client import WorkflowHistory
from outlast.converter import PayloadConverter
from outlast.testing.explore._trace import Trace, difference
from outlast.worker import Replayer

HISTORIES_MAX = 100
_PATIENCE_S = 120.0
_OTHER_SEEDS = ("1", "2")


@dataclass(frozen=True)
class Replayed:
    """A history, what it takes to replay it, and what the replay asked for."""

    history: WorkflowHistory
    options: Mapping[str, Any]
    """For a Replayer."""
    steps: Sequence[str]


@dataclass(frozen=True)
class Parting:
    """A history that does not come out the same elsewhere, and how."""

    place: int
    """Which of those that were given."""
    how: str


async def replay(history: WorkflowHistory, options: Mapping[str, Any]) -> tuple[Sequence[str], Exception | None]:
    """What the code asks for when it is given this history, and why the replay failed if it did."""
    trace = Trace(_payload_converter(options))
    replayer = Replayer(**{**options, "interceptors": [*options.get("interceptors", ()), trace]})
    with trace.of_timers():
        outcome = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return trace.steps, outcome.replay_failure


def _payload_converter(options: Mapping[str, Any]) -> PayloadConverter:
    converter: PayloadConverter = options["data_converter"].payload_converter
    return converter


class CannotGo(Exception):
    """The code is not found in another process under its module's name, or what the worker was given cannot be pickled."""


def first_parting(replayed: Sequence[Replayed]) -> Parting | None:
    """Replay them in another process; the first that does not come out the same there. Raises CannotGo."""
    try:
        load = pickle.dumps(
            [(each.options, each.history.workflow_id, [event.SerializeToString() for event in each.history.events]) for each in replayed]
        )
    except Exception as error:
        raise CannotGo(str(error)) from error
    here = os.environ.get("PYTHONHASHSEED")
    seed = next(seed for seed in _OTHER_SEEDS if seed != here)
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", "from outlast.testing.explore._elsewhere import main; main()"]
    ran = subprocess.run(program, input=load, capture_output=True, env=environment, timeout=_PATIENCE_S, check=False)
    if ran.returncode:
        raise CannotGo(ran.stderr.decode(errors="replace"))
    for place, (each, (steps, failure)) in enumerate(zip(replayed, json.loads(ran.stdout), strict=True)):
        if how := failure or difference(each.steps, steps):
            return Parting(place, how)
    return None


def _serialized(history: WorkflowHistory) -> list[bytes]:
    return [event.SerializeToString() for event in history.events]


def main() -> None:
    """The other process: histories come in, what was asked for goes out."""
    asyncio.run(_replay_all())


async def _replay_all() -> None:
    outcomes: list[tuple[Sequence[str], str | None]] = []
    for options, workflow_id, data in pickle.loads(sys.stdin.buffer.read()):
        steps, failure = await replay(_history(workflow_id, data), options)
        outcomes.append((steps, str(failure) if failure is not None else None))
    sys.stdout.write(json.dumps(outcomes))


def _history(workflow_id: str, data: Sequence[bytes]) -> WorkflowHistory:
    from temporalio.api.history.v1 import HistoryEvent

    return WorkflowHistory(workflow_id, [HistoryEvent.FromString(each) for each in data])
