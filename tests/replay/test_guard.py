"""Calls that would not come out the same in a replay raise in workflow code, and only there."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import logging
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import date, datetime
from time import monotonic
from typing import Any

import pytest

from outlast import workflow
from outlast.replay.guard import RestrictedWorkflowAccessError
from tests.replay.events import Told, kinds_of

FORBIDDEN: dict[str, Callable[[], Any]] = {
    "time.time": lambda: time.time(),
    "time.sleep": lambda: time.sleep(0),
    "time.monotonic": lambda: monotonic(),
    "time.localtime": lambda: time.localtime(),
    "time.strftime": lambda: time.strftime("%Y"),
    "datetime.datetime.now": lambda: datetime.now(dt.UTC),
    "datetime.datetime.utcnow": lambda: dt.datetime.utcnow(),
    "datetime.datetime.today": lambda: datetime.today(),
    "datetime.date.today": lambda: date.today(),
    "random.random": lambda: random.random(),
    "random.choice": lambda: random.choice([1]),
    "random.Random without a seed": lambda: random.Random(),
    "os.urandom": lambda: random.SystemRandom().random(),
    "uuid.uuid4": lambda: uuid.uuid4(),
    "uuid.uuid1": lambda: uuid.uuid1(),
    "secrets.token_hex": lambda: secrets.token_hex(),
    "threading.Thread.start": lambda: threading.Thread(target=print).start(),
    "socket": lambda: socket.socket(),
    "open (files)": lambda: open(__file__),  # noqa: SIM115 - closed by the test
    "subprocess": lambda: subprocess.Popen(["true"]),
}
ALLOWED: dict[str, Callable[[], Any]] = {
    "environment": lambda: os.environ.get("HOME"),
    "a seeded generator": lambda: random.Random(1).random(),
    "a copy of a generator": lambda: copy.copy(workflow.random()).random(),
    "a given moment": lambda: datetime(2020, 1, 1, tzinfo=dt.UTC).isoformat(),
    "the workflow's own": lambda: [str(workflow.uuid4()), workflow.now().isoformat(), workflow.random().random()],
    "a given moment in parts": lambda: time.strftime("%Y", time.gmtime(0)),
    "logging": lambda: logging.getLogger("somewhere").warning("something"),
    "the workflow's log": lambda: workflow.logger.warning("something"),
    "an import": lambda: _import_again("this"),
    "an import of what looks at the clock": lambda: _import_again("tests.replay.looks_at_the_clock"),
}


def _import_again(name: str) -> None:
    sys.modules.pop(name, None)
    __import__(name)


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, name: str) -> None:
        ({**FORBIDDEN, **ALLOWED})[name]()


@workflow.defn(sandboxed=False)
class UnguardedCalls:
    @workflow.run
    async def run(self) -> None:
        datetime.now(dt.UTC)
        uuid.uuid4()


@workflow.defn
class CallsInBlock:
    @workflow.run
    async def run(self) -> None:
        with workflow.unsafe.sandbox_unrestricted():
            time.time()
            with tempfile.TemporaryFile():
                pass
        try:
            time.time()
        except RestrictedWorkflowAccessError:
            await asyncio.sleep(1)


@workflow.defn
class WaitsForSets:
    @workflow.run
    async def run(self) -> None:
        await asyncio.wait([asyncio.create_task(asyncio.sleep(1))])


@workflow.defn
class CallsExtern:
    @workflow.run
    async def run(self) -> None:
        workflow.extern_functions()["now"]()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_call_that_would_not_come_out_the_same_raises_and_names_itself(name: str) -> None:
    step = Told(Calls, name).task()

    assert step.failure is not None
    assert f"Cannot access {name} from inside a workflow" in step.failure.message


def test_the_error_says_what_to_call_instead() -> None:
    step = Told(Calls, "uuid.uuid4").task()

    assert step.failure is not None
    assert "workflow.uuid4()" in step.failure.message


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_the_same_in_a_replay_and_what_only_observes_is_allowed(name: str) -> None:
    step = Told(Calls, name).task()

    assert step.failure is None, step.failure.message
    assert step.closed


@pytest.mark.parametrize("name", FORBIDDEN)
def test_outside_of_workflows_everything_works_as_before(name: str) -> None:
    Told(Calls, name).task()
    if name == "threading.Thread.start":
        thread = threading.Thread(target=bool)
        thread.start()
        thread.join()
    elif name == "subprocess":
        assert subprocess.Popen(["true"]).wait() == 0
    else:
        value = FORBIDDEN[name]()
        if name in ("socket", "open (files)"):
            value.close()


def test_functions_that_work_on_sets_warn() -> None:
    with pytest.warns(UserWarning, match=r"asyncio.wait\(\) gives sets.*workflow.wait\(\)"):
        assert Told(WaitsForSets).task().failure is None


def test_a_guarded_clock_keeps_its_class() -> None:
    class Moment(datetime):
        pass

    Told(Calls, "time.time").task()

    assert type(Moment.now(dt.UTC)) is Moment
    assert type(datetime.now()) is datetime
    assert type(datetime.today()) is datetime
    assert type(date.today()) is date


def test_a_workflow_can_do_without_the_guard() -> None:
    assert Told(UnguardedCalls).task().closed


def test_a_worker_can_do_without_the_guard() -> None:
    assert Told(Calls, "time.time", guarded=False).task().closed


def test_a_block_can_do_without_the_guard_and_it_is_back_after_it() -> None:
    step = Told(CallsInBlock).task()

    assert step.failure is None, step.failure.message
    assert kinds_of(step) == [3]


def test_functions_that_an_interceptor_lends_run_unguarded() -> None:
    assert Told(CallsExtern, extern_functions={"now": lambda: datetime.now(dt.UTC)}).task().closed
