"""The last of the interceptors: it makes the calls."""

from outlast.client._activity_calls import ActivityCalls
from outlast.client._async_activity_calls import AsyncActivityCalls
from outlast.client._interceptor import OutboundInterceptor
from outlast.client._schedule_calls import ScheduleCalls, WorkerVersioningCalls
from outlast.client._update_calls import UpdateCalls


class _ClientImpl(UpdateCalls, ActivityCalls, AsyncActivityCalls, ScheduleCalls, WorkerVersioningCalls, OutboundInterceptor):
    """Makes the calls of one client."""
