"""The workflow side of a worker: it runs a script, replays it from history, and says so when a history makes no sense."""

import json
from collections.abc import Callable, Generator, Sequence
from typing import Any

from temporalio.api.command.v1 import Command
from temporalio.api.enums.v1 import CommandType, EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Request

from tests.history_checker import COMMAND_EVENTS, MESSAGE_EVENTS
from tests.simulation import ask
from tests.simulation.scripts import Script, value_of

E = EventType
Handle = dict[str, Any]
Wait = Generator[Callable[[], bool], None, None]
STEPS_MAX = 1000


class Nondeterminism(Exception):
    """The history is not one that this program can have made."""


class Machine:
    """One run in a worker's memory. `feed` takes events in order; `task` is a workflow task's turn."""

    def __init__(self) -> None:
        self.position = 0
        """The last event that was taken in."""
        self.signals: list[str] = []
        """Those that the program has seen."""
        self.received: list[str] = []
        """Those that the history holds."""
        self.closed = False
        self.result = ""
        self._script: Script = {}
        self._workflow_id = self._run_id = ""
        self._canceled = False
        self._log: list[Any] = []
        self._count = 0
        self._by_name: dict[str, Handle] = {}
        self._by_event: dict[int, Handle] = {}
        self._updates: dict[str, str] = {}
        self._admitted: dict[str, tuple[int, Request]] = {}
        """Updates that a reset has admitted again: their request is in history, not in a message."""
        self._slow: dict[str, Handle] = {}
        self._expected: list[tuple[str, str]] = []
        self._made: list[tuple[str, str, Command | None, Message | None]] = []
        self._main: Wait | None = None
        self._until: Callable[[], bool] | None = None
        self._ran_for = 0
        self._inputs: list[HistoryEvent] = []

    # Taking in history

    def feed(self, events: Sequence[HistoryEvent]) -> None:
        """Take in what happened since, up to the started event of the task at hand, or to the end of the history."""
        for place, event in enumerate(events):
            if event.event_id != self.position + 1:
                raise Nondeterminism(f"event {event.event_id} comes after {self.position}")
            self.position = event.event_id
            kind = event.event_type
            if kind == E.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                self._completed(event, events[place + 1 :])
            elif kind in COMMAND_EVENTS or kind in MESSAGE_EVENTS:
                self._match(event)
            else:
                if self._expected:
                    raise Nondeterminism(f"event {event.event_id} stands where {self._expected[0]} should")
                self._inputs.append(event)
                if kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
                    request = event.workflow_execution_update_admitted_event_attributes.request
                    self._admitted[request.meta.update_id] = (event.event_id, request)
                if kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                    self.received.append(value_of(event.workflow_execution_signaled_event_attributes.input))

    def task(self, messages: Sequence[Message]) -> tuple[list[Command], list[Message]]:
        """The task's turn: what the program does now."""
        self._take_inputs()
        self._ran_for = self.position
        come: list[tuple[str, Request, Message | None]] = [
            (update_id, request, Message(id=f"{update_id}/request", event_id=event_id))
            for update_id, (event_id, request) in self._admitted.items()
            if update_id not in self._updates
        ]
        come += [(m.protocol_instance_id, Request.FromString(m.body.value), m) for m in messages]
        answers = self._updates_come(come)
        self._run()
        made, self._made = self._made, []
        self._expected = [(kind, name) for kind, name, _, _ in made]
        commands = [command for _, _, command, _ in made if command is not None]
        return commands, answers + [message for _, _, _, message in made if message is not None]

    def _completed(self, event: HistoryEvent, following: Sequence[HistoryEvent]) -> None:
        if event.workflow_task_completed_event_attributes.started_event_id == self._ran_for:
            return  # its commands are expected
        if self._expected:
            raise Nondeterminism(f"before event {event.event_id} there is no {self._expected[0]}")
        self._take_inputs()
        requests = []
        for after in following:
            if after.event_type == E.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
                accepted = after.workflow_execution_update_accepted_event_attributes
                update_id = accepted.protocol_instance_id
                request = self._admitted[update_id][1] if update_id in self._admitted else accepted.accepted_request
                requests.append((update_id, request, None))
            elif after.event_type not in COMMAND_EVENTS and after.event_type not in MESSAGE_EVENTS:
                break
        self._updates_come(requests)
        self._run()
        self._expected = [(kind, name) for kind, name, _, _ in self._made]
        self._made = []

    def _match(self, event: HistoryEvent) -> None:
        found = ask.named(event)
        if not self._expected or self._expected.pop(0) != found:
            raise Nondeterminism(f"event {event.event_id} is {found}, which the program did not ask for")
        handle = self._by_name.get(found[1])
        if handle is not None and found[0] in ("activity", "timer", "child", "tell"):
            handle["event_id"] = event.event_id
            self._by_event[event.event_id] = handle

    def _take_inputs(self) -> None:
        for event in self._inputs:
            self._take(event)
        self._inputs = []

    def _take(self, event: HistoryEvent) -> None:
        kind, attributes = event.event_type, getattr(event, event.WhichOneof("attributes") or "")
        if kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            self._script = value_of(attributes.input)
            self._workflow_id = attributes.workflow_id
            self._run_id = attributes.original_execution_run_id
            self._main = self._program()
        elif kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            self.signals.append(value_of(attributes.input))
        elif kind == E.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            self._canceled = True
        elif kind in ask.OUTCOMES:
            opened = getattr(attributes, ask.OUTCOMES[kind])
            handle = self._by_event.get(opened)
            if handle is None or handle["outcome"] is not None:
                raise Nondeterminism(f"event {event.event_id} ends {opened}, which is {handle}")
            outcome = E.Name(kind).rpartition("_")[2]
            if kind == E.EVENT_TYPE_ACTIVITY_TASK_COMPLETED or kind == E.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
                outcome = value_of(attributes.result)
            handle["outcome"] = outcome

    # Updates

    def _updates_come(self, requests: Sequence[tuple[str, Request, Message | None]]) -> list[Message]:
        rejections = []
        for update_id, request, message in requests:
            name = request.input.name
            if name == "bad":
                assert message is not None, "a rejected update is never in history"
                rejections.append(ask.rejection(message))
                continue
            if update_id in self._updates:
                raise Nondeterminism(f"update {update_id} comes twice")
            self._updates[update_id] = name
            self._say("accept", update_id, ask.acceptance(update_id, message))
            if name == "slow":
                self._slow[update_id] = self._timer(1.0)
            else:
                self._say("answer", update_id, ask.response(update_id, self._script["token"]))
        return rejections

    def _finish_slow_updates(self) -> None:
        for update_id, timer in list(self._slow.items()):
            if timer["outcome"] is not None:
                del self._slow[update_id]
                self._say("answer", update_id, ask.response(update_id, self._script["token"]))

    def _say(self, kind: str, update_id: str, message: Message) -> None:
        command = Command(command_type=CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE)
        command.protocol_message_command_attributes.message_id = message.id
        self._made.append((kind, update_id, command, message))

    # The program

    def _run(self) -> None:
        if self.closed or self._main is None:
            return
        self._finish_slow_updates()
        for _ in range(STEPS_MAX):
            if self._canceled and self._script["on_cancel"] == "cancel":
                self._close("cancel", ask.cancel())
                return
            if self._until is not None and not self._until():
                return
            self._until = next(self._main, None)
            if self._until is None:
                self._end()
                return
        raise AssertionError("a program without end")

    def _end(self) -> None:
        script = self._script
        if script["end"] == "fail":
            self._close("fail", ask.fail(script["token"]))
        elif script["end"] == "again":
            self._close("again", ask.continue_as_new(script["next"]))
        else:
            self.result = json.dumps([self._log, self.signals])
            self._close("complete", ask.complete(self.result))

    def _close(self, kind: str, command: Command) -> None:
        self.closed = True
        self._made.append((kind, "", command, None))

    def _program(self) -> Wait:
        for step in self._script["steps"]:
            yield from getattr(self, f"_do_{step[0]}")(*step[1:])

    def _do_activity(self, wanted: dict[str, Any]) -> Wait:
        handle = self._activity(wanted)
        yield lambda: handle["outcome"] is not None
        self._log.append(handle["outcome"])

    def _do_both(self, one: dict[str, Any], seconds: float, other: dict[str, Any]) -> Wait:
        handles = [self._activity(one), self._timer(seconds), self._activity(other)]
        yield lambda: all(handle["outcome"] is not None for handle in handles)
        self._log.append([handle["outcome"] for handle in handles])

    def _do_timer(self, seconds: float) -> Wait:
        handle = self._timer(seconds)
        yield lambda: handle["outcome"] is not None

    def _do_signals(self, count: int, seconds: float) -> Wait:
        timer = self._timer(seconds)
        yield lambda: len(self.signals) >= count or timer["outcome"] is not None
        if timer["outcome"] is None:
            self._made.append(("cancel timer", timer["name"], ask.cancel_timer(timer["name"]), None))
            timer["outcome"] = "CANCELED"

    def _do_race(self, wanted: dict[str, Any], seconds: float) -> Wait:
        activity, timer = self._activity(wanted), self._timer(seconds)
        yield lambda: activity["outcome"] is not None or timer["outcome"] is not None
        if timer["outcome"] is None:
            self._made.append(("cancel timer", timer["name"], ask.cancel_timer(timer["name"]), None))
            timer["outcome"] = "CANCELED"
        elif activity["outcome"] is None:
            event_id = activity["event_id"]
            self._made.append(("cancel activity", str(event_id), ask.cancel_activity(event_id), None))
            yield lambda: activity["outcome"] is not None
        self._log.append(activity["outcome"])

    def _do_tell(self, workflow_id: str, what: str) -> Wait:
        handle = self._handle("e")
        token = f"{self._run_id}/{handle['name']}"
        command = ask.signal_external(workflow_id, token) if what == "signal" else ask.cancel_external(workflow_id)
        self._by_name[workflow_id] = handle  # its event carries no name of ours
        self._made.append(("tell", workflow_id, command, None))
        yield lambda: handle["outcome"] is not None
        self._log.append(handle["outcome"])

    def _do_child(self, script: Script, policy: int, wait: bool) -> Wait:
        handle = self._handle("c")
        workflow_id = f"{self._workflow_id}.{handle['name']}"
        self._by_name[workflow_id] = handle
        self._made.append(("child", workflow_id, ask.start_child(workflow_id, script, policy), None))
        yield lambda: not wait or handle["outcome"] is not None
        self._log.append(handle["outcome"] if wait else "not waited")

    def _do_marker(self) -> Wait:
        name = self._handle("m")["name"]
        self._made.append(("marker", name, ask.marker(name), None))
        yield lambda: True

    def _activity(self, wanted: dict[str, Any]) -> Handle:
        handle = self._handle("a")
        self._made.append(("activity", handle["name"], ask.schedule_activity(handle["name"], wanted), None))
        return handle

    def _timer(self, seconds: float) -> Handle:
        handle = self._handle("t")
        self._made.append(("timer", handle["name"], ask.start_timer(handle["name"], seconds), None))
        return handle

    def _handle(self, letter: str) -> Handle:
        self._count += 1
        handle: Handle = {"name": f"{letter}{self._count}", "outcome": None, "event_id": 0}
        self._by_name[handle["name"]] = handle
        return handle
