"""Updates: a request that a workflow accepts or rejects, and answers (workflow-core.md 5.7).

admitted ──sent to a worker──► sent ──accepted──► accepted ──answered──► completed
                                 └──rejected──► forgotten

What is admitted and sent is in memory only: the shard keeps it and hands it in with a completion. The run's state knows
the updates that were accepted; requests and outcomes are in their events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.protocol.v1 import Message
from temporalio.api.update.v1 import Acceptance, Outcome, Rejection, Request, Response

from outlast.engine import limits
from outlast.engine.machines import callback, options, workflow_task
from outlast.engine.refusals import WORKFLOW_COMPLETED, BadCommand, Busy, FailedPrecondition, NotFound, WorkflowNotReady
from outlast.engine.state import Attached, Update
from outlast.engine.triggers import AdmitUpdate, AttachToUpdate

if TYPE_CHECKING:
    from outlast.engine.draft import Draft

BAD_MESSAGE = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE
CLOSING = "workflow operation can not be applied because workflow is closing"


def admit(draft: Draft, update: AdmitUpdate) -> None:
    """See to it that a workflow task will carry the update: a speculative one, if none is pending."""
    run = draft.run
    if not run.open:
        raise NotFound(WORKFLOW_COMPLETED)
    if run.paused is not None:
        raise FailedPrecondition("Workflow is paused. Cannot update the workflow.")
    if run.workflow_task_attempt >= limits.UPDATE_REFUSED_FROM_ATTEMPT:
        raise WorkflowNotReady("Unable to perform workflow execution update due to Workflow Task in failed state.")
    task = run.workflow_task
    if run.close_attempted and task is not None and task.started:
        raise Busy(CLOSING)
    if len(draft.updates) + update.in_flight >= limits.UPDATES_MAX:
        raise FailedPrecondition(
            f"The limit on the total number of distinct updates in this workflow has been reached ({limits.UPDATES_MAX})."
            " Make sure any duplicate updates share an Update ID so the server can deduplicate them, and consider rejecting"
            " updates that you aren't going to process"
        )
    draft.durable = False
    if task is None:
        workflow_task.schedule_speculative(draft)


def rejected_unprocessed() -> Outcome:
    """The outcome of an update that the worker did not answer."""
    text = "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker."
    failure = Failure(message=text, source="Server")
    failure.application_failure_info.type = "UnprocessedUpdate"
    failure.application_failure_info.non_retryable = True
    return Outcome(failure=failure)


def failed_by_close() -> Outcome:
    """The outcome of an accepted update whose workflow has closed before it answered."""
    failure = Failure(message="Workflow Update failed because the Workflow completed before the Update completed.", source="Server")
    failure.application_failure_info.type = "AcceptedUpdateCompletedWorkflow"
    failure.application_failure_info.non_retryable = True
    return Outcome(failure=failure)


class Answers:
    """The messages of one completed workflow task, taken one by one, where its commands say so or at its end."""

    def __init__(
        self, draft: Draft, messages: Sequence[Message], sent: Mapping[str, Request], attachments: Mapping[str, Sequence[AttachToUpdate]]
    ) -> None:
        self._draft = draft
        self._waiting = list(messages)
        self._sent = sent
        self._attachments = attachments
        self.rejected: dict[str, Outcome] = {}

    def take(self, message_id: str) -> None:
        """Do what one message says, at the place where a command refers to it."""
        for place, message in enumerate(self._waiting):
            if message.id == message_id:
                del self._waiting[place]
                self._apply(message)
                return
        raise BadCommand(BAD_MESSAGE, f"ProtocolMessageCommand referenced absent message ID {message_id}")

    def take_the_rest(self) -> None:
        """Do what no command has referred to, in order."""
        while self._waiting:
            self._apply(self._waiting.pop(0))

    def reject_unanswered(self) -> None:
        """What was sent and not answered is rejected."""
        for update_id in self._sent:
            if update_id not in self.rejected and update_id not in self._draft.updates:
                self.rejected[update_id] = rejected_unprocessed()

    @property
    def only_rejections(self) -> bool:
        """Whether no message that has come leaves anything in history."""
        return all(message.body.Is(Rejection.DESCRIPTOR) for message in self._waiting)

    def _apply(self, message: Message) -> None:
        body = message.body
        try:
            if body.Is(Acceptance.DESCRIPTOR):
                self._accept(message.protocol_instance_id, Acceptance.FromString(body.value))
            elif body.Is(Response.DESCRIPTOR):
                self._complete(message.protocol_instance_id, Response.FromString(body.value))
            elif body.Is(Rejection.DESCRIPTOR):
                self._reject(message.protocol_instance_id, Rejection.FromString(body.value))
            else:
                raise BadCommand(BAD_MESSAGE, f"Message type *update.{body.type_url.rsplit('.', 1)[-1]} not supported")
        except DecodeError:
            raise BadCommand(BAD_MESSAGE, f"unable to unmarshal body of message {message.id}") from None

    def _state(self, update_id: str) -> str:
        """How far the update is, in the reference server's words. Raises BadCommand for one that nobody knows."""
        update = self._draft.updates.get(update_id)
        if update is not None:
            if not update.accepted_event_id:
                return "Sent"
            state = "Completed" if update.completed_event_id else "Accepted"
            return f"Provisionally{state}" if self._draft.updates.changed(update_id) else state
        if update_id in self.rejected:
            return "ProvisionallyCompleted"
        if update_id in self._sent:
            return "Sent"
        text = f"update {update_id} wasn't found on the server. This is most likely a transient error which will be resolved"
        raise BadCommand(BAD_MESSAGE, f"{text} automatically by retries")

    def _expect(self, update_id: str, kind: str, *states: str) -> None:
        state = self._state(update_id)
        if state not in states:
            text = f"invalid state transition attempted for Update {update_id}: received *update.{kind} message while in state {state}"
            raise BadCommand(BAD_MESSAGE, text)

    def _accept(self, update_id: str, acceptance: Acceptance) -> None:
        self._expect(update_id, "Acceptance", "Sent")
        if not acceptance.accepted_request_sequencing_event_id:
            raise BadCommand(BAD_MESSAGE, "invalid *update.Acceptance: accepted_request_sequencing_event_id is not set")
        event = self._draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
        attributes = event.workflow_execution_update_accepted_event_attributes
        attributes.protocol_instance_id = update_id
        attributes.accepted_request_message_id = acceptance.accepted_request_message_id
        attributes.accepted_request_sequencing_event_id = acceptance.accepted_request_sequencing_event_id
        if update_id not in self._draft.updates:
            attributes.accepted_request.CopyFrom(self._sent[update_id])
        self._draft.add(event)
        for attachment in self._attachments.get(update_id, ()):
            options.attach_to_update(self._draft, attachment)

    def _complete(self, update_id: str, response: Response) -> None:
        self._expect(update_id, "Response", "Accepted", "ProvisionallyAccepted")
        event = self._draft.event(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
        attributes = event.workflow_execution_update_completed_event_attributes
        attributes.meta.CopyFrom(response.meta)
        attributes.meta.update_id = update_id
        attributes.accepted_event_id = self._draft.updates[update_id].accepted_event_id
        attributes.outcome.CopyFrom(response.outcome)
        self._draft.add(event)

    def _reject(self, update_id: str, rejection: Rejection) -> None:
        self._expect(update_id, "Rejection", "Sent")
        self._draft.updates.drop(update_id)
        self.rejected[update_id] = Outcome(failure=rejection.failure)


def evolve_admitted(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_admitted_event_attributes
    request = attributes.request
    draft.updates.put(request.meta.update_id, Update(0))
    if request.request_id:
        draft.attached.put(request.request_id, Attached(event.event_id, event.event_type))
    callback.attach(draft, request.completion_callbacks, request.request_id, event, request.meta.update_id)


def evolve_accepted(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_accepted_event_attributes
    update_id = attributes.protocol_instance_id
    draft.updates.put(update_id, Update(event.event_id))
    request = attributes.accepted_request
    if request.request_id:
        draft.attached.put(request.request_id, Attached(event.event_id, event.event_type))
    callback.attach(draft, request.completion_callbacks, request.request_id, event, update_id)


def evolve_completed(draft: Draft, event: HistoryEvent) -> None:
    attributes = event.workflow_execution_update_completed_event_attributes
    draft.updates.put(attributes.meta.update_id, Update(attributes.accepted_event_id, event.event_id))
    callback.update_is_over(draft, attributes.meta.update_id)
