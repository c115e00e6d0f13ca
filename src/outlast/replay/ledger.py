"""What a run has asked for and history has not answered yet, and what history has told and the code has not heard yet.

`Asked` are commands, in the order of the code that asked. `Jobs` are what the next activation of the code brings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outlast.replay.flags import TERMINAL_LAST
from outlast.replay.machines.local_activity import LocalActivities
from outlast.replay.where import user_line

if TYPE_CHECKING:
    from temporalio.api.command.v1 import Command
    from temporalio.api.protocol.v1 import Message

    from outlast import common
    from outlast.replay.flags import Flags
    from outlast.replay.machines.machine import Machine

Job = tuple[Callable[..., None], tuple[Any, ...]]


class Asked:
    """A command that waits for its event. `command` is None on replay, where it will never be sent."""

    __slots__ = ("command", "event_kind", "machine", "where")

    def __init__(self, event_kind: int, machine: Machine, command: Command | None, where: str) -> None:
        self.event_kind = event_kind
        self.machine = machine
        self.command = command
        self.where = where


class Jobs:
    """What the next activation brings: the ids of patches found ahead, then signals and updates, then the rest."""

    __slots__ = ("main", "messages", "only_updates", "patches")

    def __init__(self) -> None:
        self.patches: list[str] = []
        self.messages: list[Job] = []
        self.main: list[Job] = []
        self.only_updates = True

    def __bool__(self) -> bool:
        return bool(self.main or self.messages or self.patches)

    def add(self, work: Callable[..., None], *args: Any) -> None:
        self.only_updates = False
        self.main.append((work, args))

    def add_signal(self, work: Callable[..., None], *args: Any) -> None:
        self.only_updates = False
        self.messages.append((work, args))

    def add_update(self, work: Callable[..., None], *args: Any) -> None:
        self.messages.append((work, args))

    def add_patch(self, patch_id: str) -> None:
        self.only_updates = False
        self.patches.append(patch_id)


class Ledger:
    """The state that the machines of one run share."""

    def __init__(self, flags: Flags, namespace: str, task_queue: str, run_id: str) -> None:
        self.flags = flags
        self.namespace = namespace
        self.task_queue = task_queue
        self.run_id = run_id
        self.replaying = False
        self.last_slice = False
        """Whether the events being applied are the last in history."""
        self.now_ns = 0
        """The workflow's time: that of its task, moved on by local activities."""
        self.asked: deque[Asked] = deque()
        self.terminal: Asked | None = None
        """What ends the run; behind everything else once the code has had its turn."""
        self.by_event: dict[int, Machine] = {}
        self.jobs = Jobs()
        self.outbox: list[Message] = []
        self.accepted_updates = 0
        """How many updates were accepted in this activation."""
        self.patch_markers: dict[str, bool] = {}
        """Patches found ahead or asked for; True once a command was made."""
        self.local_activities = LocalActivities()
        self.history_length = 0
        """How many events there were when the task began."""
        self.history_bytes = 0
        self.continue_as_new_suggested = False
        self.target_version_changed = False
        self.deployment: common.WorkerDeploymentVersion | None = None
        """That of the worker that completed the task, or that runs it now."""
        self._seqs: dict[str, int] = {}

    def next_seq(self, kind: str) -> int:
        seq = self._seqs.get(kind, 0) + 1
        self._seqs[kind] = seq
        return seq

    def ask(self, event_kind: int, machine: Machine, command: Command | None) -> None:
        """Ask for a command whose event will be of this kind."""
        if self.terminal is not None and self._drops_after_terminal():
            return
        self.asked.append(Asked(event_kind, machine, command, user_line() if self.replaying else ""))

    def ask_terminal(self, event_kind: int, machine: Machine, command: Command | None) -> None:
        """Ask to end the run. Only the first such wish counts, and it is sent behind all other commands."""
        if self.terminal is None:
            self.terminal = Asked(event_kind, machine, command, user_line() if self.replaying else "")

    def _drops_after_terminal(self) -> bool:
        return self.replaying and TERMINAL_LAST not in self.flags.core

    def next_asked(self) -> Asked | None:
        """The command that the next event of a command must answer. Those cancelled before they were sent are forgotten."""
        while self.asked:
            if not self.asked[0].machine.cancelled_before_sent:
                return self.asked[0]
            self.asked.popleft()
        return self.terminal

    def answered(self) -> None:
        """The command that `next_asked` gave has its event."""
        if self.asked:
            self.asked.popleft()
        else:
            self.terminal = None

    def forget(self) -> None:
        """Let go of the machines, which refer to this ledger."""
        self.asked.clear()
        self.terminal = None
        self.by_event.clear()
        self.local_activities.by_seq.clear()
        self.jobs = Jobs()

    def commands(self) -> list[Command]:
        """What is to be sent to the server, in order."""
        wanted = [*self.asked, *([self.terminal] if self.terminal else [])]
        return [asked.command for asked in wanted if asked.command is not None and not asked.machine.cancelled_before_sent]
