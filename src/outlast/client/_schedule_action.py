"""What a schedule does when it acts."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Unpack, overload

from temporalio.api.common.v1 import Payload, Payloads, WorkflowType
from temporalio.api.common.v1 import RetryPolicy as RetryPolicyMessage
from temporalio.api.schedule import v1 as messages
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo

from outlast import workflow as workflows
from outlast.client._helpers import apply_headers, duration, encoded_user_metadata, span_of
from outlast.client._options import NO_ARGS, StartScheduledWorkflowOptions
from outlast.common import (
    HeaderCodecBehavior,
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    _arg_or_args,
    _arg_unset,
)
from outlast.converter import (
    DataConverter,
    WorkflowSerializationContext,
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attributes,
)
from outlast.types import MethodAsyncNoParam, MethodAsyncSingleParam, MultiParamSpec, ParamType, ReturnType, SelfType

if TYPE_CHECKING:
    from outlast.client._client import Client

_NO_SEARCH_ATTRIBUTES: SearchAttributes = {}


class ScheduleAction(ABC):
    """What a schedule does when it acts."""

    @staticmethod
    def _from_proto(action: messages.ScheduleAction) -> ScheduleAction:
        if action.HasField("start_workflow"):
            return ScheduleActionStartWorkflow("<unset>", raw_info=action.start_workflow)
        raise ValueError(f"Unsupported action: {action.WhichOneof('action')}")

    @abstractmethod
    async def _to_proto(self, client: Client) -> messages.ScheduleAction: ...


@dataclass
class ScheduleActionStartWorkflow(ScheduleAction):
    """Starts a workflow.

    In the description of a schedule arguments, memo, summary and details are payloads, as the server has them: convert them with the
    client's data converter. Payloads may be given as well.
    """

    workflow: str
    """Name of the workflow's type."""
    args: Sequence[Any] | Sequence[Payload]
    """Arguments."""
    id: str
    """Id of the workflow; the server adds the time of the action to it."""
    task_queue: str
    """Task queue of the workers that run it."""
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | Mapping[str, Payload] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    """Search attributes whose type is not known. Found in descriptions; better remove them than send them."""
    static_summary: str | Payload | None
    static_details: str | Payload | None
    priority: Priority
    headers: Mapping[str, Payload] | None
    """Headers that the workflow gets; those of an interceptor, for example."""
    _from_raw: bool = dataclasses.field(compare=False, init=False)

    @overload
    def __init__(self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[StartScheduledWorkflowOptions]) -> None: ...

    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[StartScheduledWorkflowOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfType, MultiParamSpec], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[StartScheduledWorkflowOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        **options: Unpack[StartScheduledWorkflowOptions],
    ) -> None: ...

    @overload
    def __init__(self, workflow: str, *, raw_info: NewWorkflowExecutionInfo) -> None: ...

    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = _arg_unset,
        *,
        args: Sequence[Any] = NO_ARGS,
        id: str | None = None,
        task_queue: str | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty,
        untyped_search_attributes: SearchAttributes = _NO_SEARCH_ATTRIBUTES,
        static_summary: str | None = None,
        static_details: str | None = None,
        headers: Mapping[str, Payload] | None = None,
        raw_info: NewWorkflowExecutionInfo | None = None,
        priority: Priority = Priority.default,
    ) -> None:
        """Take the workflow's run method, or its name, its arguments and options as :meth:`outlast.client.Client.start_workflow` has them.

        Raises ValueError without an id or a task queue.
        """
        super().__init__()
        self._from_raw = raw_info is not None
        if raw_info is not None:
            self._take(raw_info)
            return
        if not id:
            raise ValueError("ID required")
        if not task_queue:
            raise ValueError("Task queue required")
        self.workflow = _workflow_name(workflow)
        self.args = _arg_or_args(arg, args)
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.untyped_search_attributes = untyped_search_attributes
        self.headers = headers
        self.static_summary = static_summary
        self.static_details = static_details
        self.priority = priority

    def _take(self, info: NewWorkflowExecutionInfo) -> None:
        self.workflow = info.workflow_type.name
        self.args = info.input.payloads
        self.id = info.workflow_id
        self.task_queue = info.task_queue.name
        self.execution_timeout = span_of(info, "workflow_execution_timeout")
        self.run_timeout = span_of(info, "workflow_run_timeout")
        self.task_timeout = span_of(info, "workflow_task_timeout")
        self.retry_policy = RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None
        self.memo = info.memo.fields or None
        self.typed_search_attributes = decode_typed_search_attributes(info.search_attributes)
        typed = {pair.key.name for pair in self.typed_search_attributes}
        untyped = decode_search_attributes(info.search_attributes)
        self.untyped_search_attributes = {name: values for name, values in untyped.items() if name not in typed}
        self.headers = info.header.fields or None
        metadata = info.user_metadata
        self.static_summary = metadata.summary if metadata.HasField("summary") else None
        self.static_details = metadata.details if metadata.HasField("details") else None
        self.priority = Priority._from_proto(info.priority) if info.HasField("priority") else Priority.default

    async def _to_proto(self, client: Client) -> messages.ScheduleAction:
        converter = client.data_converter.with_context(WorkflowSerializationContext(namespace=client.namespace, workflow_id=self.id))
        info = NewWorkflowExecutionInfo(
            workflow_id=self.id,
            workflow_type=WorkflowType(name=self.workflow),
            task_queue=TaskQueue(name=self.task_queue),
            input=Payloads(payloads=[await _payload(converter, value) for value in self.args]) if self.args else None,
            workflow_execution_timeout=duration(self.execution_timeout or None),
            workflow_run_timeout=duration(self.run_timeout or None),
            workflow_task_timeout=duration(self.task_timeout or None),
            memo=await converter._encode_memo(self.memo) if self.memo else None,
            user_metadata=await encoded_user_metadata(converter, self.static_summary, self.static_details),
            priority=self.priority._to_proto() if self.priority else None,
        )
        if self.retry_policy:
            policy = RetryPolicyMessage()
            self.retry_policy.apply_to_proto(policy)
            info.retry_policy.CopyFrom(policy)
        self._put_search_attributes(info)
        if self.headers:
            encodes = client._config["header_codec_behavior"] == HeaderCodecBehavior.CODEC and not self._from_raw
            await apply_headers(self.headers, info.header.fields, client.data_converter.payload_codec if encodes else None)
        return messages.ScheduleAction(start_workflow=info)

    def _put_search_attributes(self, info: NewWorkflowExecutionInfo) -> None:
        typed = {pair.key.name for pair in self.typed_search_attributes}
        untyped = {name: values for name, values in self.untyped_search_attributes.items() if name not in typed}
        if untyped:
            encode_search_attributes(untyped, info.search_attributes)
        if self.typed_search_attributes:
            encode_search_attributes(self.typed_search_attributes, info.search_attributes)


def _workflow_name(workflow: str | Callable[..., Awaitable[Any]]) -> str:
    if callable(workflow):
        name = workflows._Definition.must_from_run_fn(workflow).name
        if not name:
            raise ValueError("Cannot schedule dynamic workflow explicitly")
        return name
    if not isinstance(workflow, str):
        raise TypeError("Workflow must be a string or callable")
    return workflow


async def _payload(converter: DataConverter, value: Any) -> Payload:
    return value if isinstance(value, Payload) else (await converter.encode([value]))[0]
