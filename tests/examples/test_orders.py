"""The orders example: how orders are checked, histories told and runs audited, and the demo itself from end to end."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.api.history.v1 import HistoryEvent

from examples.orders.history import DETAIL_CHARACTERS_MAX, history_lines
from examples.orders.ledger import Entry, Ledger
from examples.orders.order import ORDERS, Line, Order, flaws, needs_approval, read_catalogue, read_orders, shortage, wanted, will_ship
from examples.orders.report import Finished, expected_steps, lost_attempts, problems, states
from examples.orders.workflows import Outcome

REPOSITORY = Path(__file__).parents[2]
CATALOGUE = read_catalogue()
GOOD = Order("T-1", "Ada Brandt", "visa-4411", [Line("kettle", 1, 3490), Line("mug", 2, 890)], 5270)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (GOOD, []),
        (replace(GOOD, card=""), ["no card to charge"]),
        (replace(GOOD, total_cents=5271), ["the total says €52.71, the lines add up to €52.70"]),
        (replace(GOOD, lines=[], total_cents=0), ["nothing is ordered"]),
        (replace(GOOD, lines=[Line("samovar", 1, 5270)]), ["unknown SKU 'samovar'"]),
        (replace(GOOD, lines=[Line("mug", 0, 890)], total_cents=0), ["0 pieces of mug"]),
        (replace(GOOD, lines=[Line("mug", 1, 1)], total_cents=1), ["mug costs €8.90, not €0.01"]),
        (replace(GOOD, card="", total_cents=0), ["no card to charge", "the total says €0.00, the lines add up to €52.70"]),
    ],
)
def test_every_flaw_of_an_order_is_named(order: Order, found: list[str]) -> None:
    assert flaws(order, CATALOGUE) == found


def test_stock_is_short_when_two_lines_of_one_product_exceed_what_others_left() -> None:
    stock = CATALOGUE["rug"].stock
    order = replace(GOOD, lines=[Line("rug", stock - 2, 18900), Line("rug", 1, 18900)])

    fits = shortage(order, wanted(replace(GOOD, lines=[Line("rug", 1, 18900)])), CATALOGUE)
    exceeds = shortage(order, wanted(replace(GOOD, lines=[Line("rug", 2, 18900)])), CATALOGUE)

    assert fits is None
    assert exceeds == f"{stock - 1} x rug wanted, {stock - 2} in stock"


def test_the_committed_orders_together_fit_the_stock_so_that_their_ends_do_not_depend_on_who_comes_first() -> None:
    orders = {order.id: order for path in ORDERS.glob("*.json") for order in read_orders(path)}.values()
    shipped = [order for order in orders if will_ship(order, CATALOGUE)]

    everything = replace(GOOD, lines=[line for order in shipped for line in order.lines])

    assert (len(orders), len(shipped)) == (24, 18)
    assert sum(map(needs_approval, orders)) == 5
    assert shortage(everything, wanted(replace(GOOD, lines=[])), CATALOGUE) is None


def test_the_ledger_makes_an_effect_once_and_remembers_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")

    details = [ledger.do_once("T-1", "charge", attempt, lambda _, attempt=attempt: f"receipt {attempt}") for attempt in (1, 2)]

    assert details == ["receipt 1", "receipt 1"]
    assert [(entry.attempt, entry.kind) for entry in ledger.entries()] == [(1, "done"), (2, "repeated")]


def test_the_ledger_refuses_a_second_effect_and_any_change_of_the_past(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.append(Entry("T-1", "ship", 1, "done", ""))

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        ledger.append(Entry("T-1", "ship", 2, "done", ""))
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        for change in ("update entries set attempt = 9", "delete from entries"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)

    assert ledger.entries() == [Entry("T-1", "ship", 1, "done", "")]


def test_a_refused_effect_leaves_nothing_in_the_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")

    def refuse(_: list[Entry]) -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ledger.do_once("T-1", "reserve", 1, refuse)

    assert ledger.entries() == []


def _event(event_id: int, after_s: float, kind: str, **attributes: object) -> HistoryEvent:
    event_type = EventType.Value(f"EVENT_TYPE_{kind.upper()}")
    event = HistoryEvent(event_id=event_id, event_type=event_type, **{f"{kind}_event_attributes": attributes})  # type: ignore[arg-type]
    event.event_time.FromNanoseconds(1_700_000_000_000_000_000 + int(after_s * 1e9))
    return event


def _json(text: str) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=text.encode())])


HISTORY = [
    _event(1, 0, "workflow_execution_started", workflow_type={"name": "OrderWorkflow"}, input=_json('{"key": "T-1"}')),
    _event(2, 0.5, "activity_task_scheduled", activity_type={"name": "charge"}),
    _event(3, 4, "activity_task_started", scheduled_event_id=2, attempt=2, last_failure={"message": "the bank does not answer"}),
    _event(4, 4.25, "activity_task_completed", scheduled_event_id=2, started_event_id=3, result=_json('"receipt-T-1"')),
    _event(5, 4.25, "timer_started", timer_id="1", start_to_fire_timeout=timedelta(seconds=1.5)),
    _event(6, 5, "workflow_execution_signaled", signal_name="approve", input=_json('"the boss"')),
    _event(7, 5.75, "timer_fired", timer_id="1", started_event_id=5),
    _event(8, 6, "workflow_execution_completed", result=_json('"done"')),
]


def test_a_history_is_told_in_one_line_per_event_with_its_essential_detail() -> None:
    assert [(line.event_id, line.since_start_s, line.what, line.detail) for line in history_lines(HISTORY)] == [
        (1, 0.0, "workflow execution started", 'OrderWorkflow {"key": "T-1"}'),
        (2, 0.5, "activity task scheduled", "charge"),
        (3, 4.0, "activity task started", "charge, attempt 2, after: the bank does not answer"),
        (4, 4.25, "activity task completed", 'charge, result "receipt-T-1"'),
        (5, 4.25, "timer started", "timer 1, 1.5 s"),
        (6, 5.0, "workflow execution signaled", 'approve "the boss"'),
        (7, 5.75, "timer fired", "timer 1"),
        (8, 6.0, "workflow execution completed", 'result "done"'),
    ]


def test_a_timeout_is_told_by_its_kind() -> None:
    lost = {"message": "activity timed out", "timeout_failure_info": {"timeout_type": TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE}}
    events = [HISTORY[1], _event(3, 4, "activity_task_timed_out", scheduled_event_id=2, failure=lost)]

    assert history_lines(events)[1].detail == "charge: start to close timeout"


def test_a_long_detail_is_cut_and_binary_is_not_printed() -> None:
    events = [_event(1, 0, "workflow_execution_completed", result=_json(f'"{"x" * 500}"'))]
    binary = [_event(1, 0, "workflow_execution_completed", result=_json("\x00\x01"))]

    assert len(history_lines(events)[0].detail) == DETAIL_CHARACTERS_MAX
    assert history_lines(binary)[0].detail == "result 2 bytes"


def _done(order: Order) -> list[Entry]:
    return [Entry(order.id, step, 1, "done", "") for step in expected_steps(order, CATALOGUE)]


def _finished(order: Order, shipped: bool = True) -> dict[str, Finished]:
    return {order.id: Finished(Outcome(order.id, shipped, "parcel-1"), HISTORY)}


def test_the_audit_accepts_an_order_that_was_finished_once() -> None:
    assert problems([GOOD], CATALOGUE, _done(GOOD), _finished(GOOD)) == {}


@pytest.mark.parametrize(
    ("entries", "finished", "problem"),
    [
        (_done(GOOD), {}, "not finished"),
        ([*_done(GOOD), Entry("T-1", "charge", 2, "done", "")], _finished(GOOD), "'charge': 2"),
        (_done(GOOD)[:-1], _finished(GOOD), "expected"),
        (_done(GOOD), _finished(GOOD, shipped=False), "ended with"),
        (_done(GOOD), {"T-1": Finished(Outcome("T-1", True, ""), [*HISTORY, HISTORY[-1]])}, "1 starts and 2 completions"),
    ],
)
def test_the_audit_names_what_was_not_done_exactly_once(entries: list[Entry], finished: dict[str, Finished], problem: str) -> None:
    assert problem in problems([GOOD], CATALOGUE, entries, finished)["T-1"]


def test_an_orders_state_and_lost_attempts_follow_from_the_ledger() -> None:
    entries = [
        Entry("a", "check", 1, "tried", ""),
        Entry("a", "check", 1, "done", ""),
        Entry("a", "charge", 1, "tried", ""),
        Entry("b", "check", 1, "done", "no card to charge"),
        Entry("c", "check", 1, "done", ""),
        Entry("c", "reserve", 1, "failed", "out of stock"),
    ]

    assert states(["a", "b", "c", "d"], entries) == {"a": "checked", "b": "rejected", "c": "rejected", "d": "started"}
    assert lost_attempts(entries) == [entries[2]]


def _demo(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "examples.orders", "--quick", *arguments]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _pid(text: str) -> int:
    found = re.search(r"\(pid (\d+)\)", text)
    assert found is not None, text
    return int(found[1])


def test_the_demo_finishes_every_order_once_although_its_process_is_killed(tmp_path: Path) -> None:
    with _demo("--directory", str(tmp_path / "demo")) as demo:
        output, _ = demo.communicate(timeout=120)

    assert demo.returncode == 0, output
    assert "15 of 15 orders finished once: 11 shipped, 4 rejected." in output
    first, killed, second = (_pid(line) for line in output.splitlines() if re.search(r"(started|killing) the application", line))
    assert killed == first != second
    assert output.count("asked with a query: “waiting for approval of €1,183.00”") == 2
    assert "york.json has order B-103 a second time: refused" in output
    assert re.search(r"^ +\d+ +\d+\.\d\ds  workflow execution completed +result", output, re.MULTILINE)
    assert not any(psutil.pid_exists(pid) for pid in (first, second))
    charges = [entry for entry in Ledger(tmp_path / "demo" / "ledger.db").entries() if (entry.step, entry.kind) == ("charge", "done")]
    assert len(charges) == len({entry.order_id for entry in charges}) == 11


@pytest.mark.skipif(os.name != "posix", reason="these signals are POSIX only")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_behind(stop: signal.Signals, tmp_path: Path) -> None:
    with _demo("--directory", str(tmp_path / "demo")) as demo:
        assert demo.stdout is not None
        started = next(_pid(line) for line in demo.stdout if "started the application" in line)

        demo.send_signal(stop)
        output, _ = demo.communicate(timeout=30)

    assert demo.returncode == 1
    assert "interrupted" in output
    assert not psutil.pid_exists(started)
