"""Updates: requests come as protocol messages, answers go as protocol messages, each beside a command that orders it.

requested ──validator──► rejected
    └──► accepted ──handler──► completed
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from google.protobuf.any_pb2 import Any as AnyMessage
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Rejection, Request, Response

from outlast.replay import kinds
from outlast.replay.machines.machine import Machine
from outlast.replay.wire import Fields, make_command

if TYPE_CHECKING:
    from google.protobuf.message import Message as AnyProto
    from temporalio.api.common.v1 import Payload
    from temporalio.api.failure.v1 import Failure
    from temporalio.api.history.v1 import HistoryEvent

    from outlast.replay.ledger import Ledger


class UpdateRequest(msgspec.Struct, frozen=True):
    """An update that is to be judged and handled, whether a message brought it or history tells of it."""

    message_id: str
    protocol_instance_id: str
    handed_over_at: int
    """The event after which it was handed to the worker."""
    request: Request


def read_message(message: Message) -> UpdateRequest:
    """The request that a workflow task brought."""
    request = Request()
    message.body.Unpack(request)
    return UpdateRequest(message.id, message.protocol_instance_id, message.event_id, request)


def read_admitted(event: HistoryEvent) -> UpdateRequest:
    """The request that history keeps, after a reset."""
    request = event.workflow_execution_update_admitted_event_attributes.request
    update_id = request.meta.update_id
    return UpdateRequest(f"{update_id}/request", update_id, event.event_id, request)


def read_accepted(event: HistoryEvent) -> UpdateRequest:
    """The request that was accepted in the past."""
    attributes = event.workflow_execution_update_accepted_event_attributes
    return UpdateRequest(
        attributes.accepted_request_message_id,
        attributes.protocol_instance_id,
        attributes.accepted_request_sequencing_event_id,
        attributes.accepted_request,
    )


class Update(Machine):
    """One update of this run."""

    __slots__ = ("asked_for", "is_new")

    def __init__(self, ledger: Ledger, asked_for: UpdateRequest) -> None:
        super().__init__(ledger)
        self.asked_for = asked_for
        self.is_new = not ledger.replaying
        """Whether the validator has yet to judge it: history only tells of updates that passed."""

    @property
    def id(self) -> str:
        return self.asked_for.request.meta.update_id

    @property
    def name(self) -> str:
        return self.asked_for.request.input.name

    def accept(self) -> None:
        """The validator let it pass."""
        asked = self.asked_for
        self.ledger.accepted_updates += 1
        self._answer(
            kinds.UPDATE_ACCEPTED,
            "accept",
            lambda: Acceptance(
                accepted_request_message_id=asked.message_id,
                accepted_request_sequencing_event_id=asked.handed_over_at,
                accepted_request=asked.request,
            ),
        )

    def reject(self, failure: Failure) -> None:
        """The validator refused it. That leaves no trace in history, and so needs no command."""
        asked = self.asked_for
        rejection = Rejection(
            rejected_request_message_id=asked.message_id,
            rejected_request_sequencing_event_id=asked.handed_over_at,
            rejected_request=asked.request,
            failure=failure,
        )
        if not self.ledger.replaying:
            self._send("reject", rejection)

    def complete(self, result: Payload) -> None:
        self._respond({"success": {"payloads": [result]}})

    def fail(self, failure: Failure) -> None:
        """The handler raised."""
        self._respond({"failure": failure})

    def _respond(self, outcome: Fields) -> None:
        fields: Fields = {"meta": self.asked_for.request.meta, "outcome": outcome}
        self._answer(kinds.UPDATE_COMPLETED, "complete", lambda: Response(**fields))

    def _answer(self, event_kind: int, what: str, body: Callable[[], AnyProto]) -> None:
        command = None
        if not self.ledger.replaying:
            message_id = self._send(what, body())
            command = make_command(14, "protocol_message_command_attributes", {"message_id": message_id})
        self.ledger.ask(event_kind, self, command)

    def _send(self, what: str, body: AnyProto) -> str:
        packed = AnyMessage()
        packed.Pack(body)
        message_id = f"{self.asked_for.message_id}/{what}"
        self.ledger.outbox.append(Message(id=message_id, protocol_instance_id=self.asked_for.protocol_instance_id, body=packed))
        return message_id

    def describe(self) -> str:
        return f"update {self.name!r} with id {self.id!r}"
