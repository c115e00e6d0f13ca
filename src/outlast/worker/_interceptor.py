"""Interceptors of a worker: the chain around its activities, and how workflows get theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from temporalio.api.common.v1 import Payload

    from outlast import activity
    from outlast.replay.interceptor import WorkflowInboundInterceptor


class Interceptor:
    """Base of worker interceptors: wraps what a worker runs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Return what is called for each attempt of an activity: `next`, or something that calls it."""
        return next

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor] | None:
        """Return the class that wraps each workflow, made with the next interceptor as its argument; or None.

        Asked once, when the worker is made. `input` may be changed, to let the class call functions outside of the workflow.
        """
        return None


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """What `Interceptor.workflow_interceptor_class` may add to."""

    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]
    """Functions that workflow interceptors may call although they are not deterministic, by name. At your own risk."""


@dataclass
class ExecuteActivityInput:
    """One attempt of an activity."""

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: Executor | None
    """Runs the function, unless it is async."""
    headers: Mapping[str, Payload]


class ActivityInboundInterceptor:
    """Base of what wraps the attempts of activities; passes everything on."""

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        """Wrap the next in the chain."""
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Take the outbound side. To wrap it, too, hand one's own to `next.init`."""
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Run the activity."""
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """Base of what wraps the calls that activities make; passes everything on."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        """Wrap the next in the chain."""
        self.next = next

    def info(self) -> activity.Info:
        """Called for `activity.info`."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """Called for `activity.heartbeat`."""
        self.next.heartbeat(*details)
