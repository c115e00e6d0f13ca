"""The watchdog: what hangs is broken off, and nothing else is."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from outlast.worker._thread_cancel import ThreadCancel
from outlast.worker._watchdog import Interrupted, Watchdog, _DeadlockError


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog(limit_s=0.05, look_s=0.01)
    watchdog.start()
    yield watchdog
    watchdog.stop()


def hang_here(until: float) -> None:
    while time.monotonic() < until:
        pass
    raise AssertionError("nobody broke it off")


def test_what_hangs_is_broken_off_with_the_stack_where_it_hung(watchdog: Watchdog) -> None:
    with pytest.raises(_DeadlockError, match=r"\[TMPRL1101\] Potential deadlock detected: workflow didn't yield within 0.05 sec") as error:
        watchdog.run(hang_here, time.monotonic() + 30)

    assert "hang_here" in error.value.stack
    assert "test_what_hangs" not in error.value.stack


def test_what_swallows_the_interruption_has_hung_all_the_same(watchdog: Watchdog) -> None:
    def swallow() -> str:
        with contextlib.suppress(Interrupted):
            hang_here(time.monotonic() + 30)
        return "as if nothing had happened"

    with pytest.raises(_DeadlockError):
        watchdog.run(swallow)


def test_what_waits_for_a_lock_in_the_main_thread_is_broken_off(watchdog: Watchdog) -> None:
    with pytest.raises(_DeadlockError) as error:
        watchdog.run(threading.Event().wait, 30)

    assert "threading.py" in error.value.stack


def test_what_swallows_the_interruption_and_waits_again_is_broken_off_again(watchdog: Watchdog) -> None:
    refused = 0

    def wait() -> None:
        nonlocal refused
        while refused < 3:
            try:
                threading.Event().wait(30)
            except Interrupted:
                refused += 1
                continue
            raise AssertionError("nobody broke it off")

    with pytest.raises(_DeadlockError):
        watchdog.run(wait)
    assert refused == 3


def test_a_signal_that_comes_late_hits_nobody(watchdog: Watchdog) -> None:
    with pytest.raises(_DeadlockError):
        watchdog.run(hang_here, time.monotonic() + 30)

    signal.raise_signal(signal.SIGURG)
    assert watchdog.run(lambda: signal.raise_signal(signal.SIGURG) or 7) == 7


def test_the_signal_is_given_back_with_the_last_user_and_left_alone_where_the_program_handles_it() -> None:
    watchdog = Watchdog()
    watchdog.start()
    watchdog.start()
    watchdog.stop()
    assert signal.getsignal(signal.SIGURG) == watchdog._signalled
    watchdog.stop()
    assert signal.getsignal(signal.SIGURG) is signal.SIG_DFL

    signal.signal(signal.SIGURG, signal.SIG_IGN)
    try:
        watchdog.start()
        assert signal.getsignal(signal.SIGURG) is signal.SIG_IGN
        watchdog.stop()
        assert signal.getsignal(signal.SIGURG) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGURG, signal.SIG_DFL)


def test_where_the_program_handles_the_signal_code_is_broken_off_all_the_same() -> None:
    signal.signal(signal.SIGURG, signal.SIG_IGN)
    watchdog = Watchdog(limit_s=0.05, look_s=0.01)
    watchdog.start()
    try:
        with pytest.raises(_DeadlockError):
            watchdog.run(hang_here, time.monotonic() + 30)
    finally:
        watchdog.stop()
        signal.signal(signal.SIGURG, signal.SIG_DFL)


def test_results_and_errors_come_through(watchdog: Watchdog) -> None:
    def fail() -> None:
        raise KeyError("mine")

    assert watchdog.run(max, 1, 2) == 2
    with pytest.raises(KeyError, match="mine"):
        watchdog.run(fail)


def test_an_interruption_never_lands_after_the_end() -> None:
    watchdog = Watchdog(limit_s=0.0, look_s=0.0)
    watchdog.start()
    ended = {"well": 0, "broken off": 0}
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # the threads meet at every point that they can meet at
    try:
        while min(ended.values()) < 30:
            try:
                watchdog.run(spin, 20)
                ended["well"] += 1
            except _DeadlockError:
                ended["broken off"] += 1
            spin(20)  # where an interruption would land that comes too late
    finally:
        sys.setswitchinterval(before)
        watchdog.stop()


def test_activations_in_several_threads_are_watched_each_for_itself(watchdog: Watchdog) -> None:
    caught: list[str] = []

    def other() -> None:
        try:
            watchdog.run(hang_here, time.monotonic() + 30)
        except _DeadlockError:
            caught.append("other")

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(timeout=20)

    assert caught == ["other"]
    assert watchdog.run(max, 1, 2) == 2


class Stop(Exception):
    pass


def spin(turns: int = 10_000_000) -> None:
    for _ in range(turns):
        pass


def test_a_cancellation_is_raised_in_the_thread() -> None:
    thread_cancel = ThreadCancel()
    ended: list[str] = []
    running = threading.Event()

    def body() -> None:
        try:
            with thread_cancel.active():
                running.set()
                while True:
                    spin()
        except Stop:
            ended.append("stopped")

    thread = threading.Thread(target=body)
    thread.start()
    running.wait(10)
    thread_cancel.cancel(Stop)
    thread.join(timeout=20)

    assert ended == ["stopped"]


def test_a_cancellation_before_the_thread_runs_counts_once_it_does() -> None:
    thread_cancel = ThreadCancel()
    thread_cancel.cancel(Stop)

    with pytest.raises(Stop), thread_cancel.active():
        spin()

    spin(1000)


def test_a_shield_holds_a_cancellation_back_until_its_outermost_end() -> None:
    thread_cancel = ThreadCancel()
    passed: list[str] = []

    with pytest.raises(Stop), thread_cancel.active():
        with thread_cancel.shielded():
            with thread_cancel.shielded():
                thread_cancel.cancel(Stop)
                spin(1000)
            spin(1000)
            passed.append("shielded")
        spin()
        passed.append("too far")

    assert passed == ["shielded"]


def test_a_cancellation_after_the_activity_hits_nobody() -> None:
    thread_cancel = ThreadCancel()
    with thread_cancel.active():
        pass

    thread_cancel.cancel(Stop)

    spin(1000)
