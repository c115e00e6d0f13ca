"""The TestService: calls that hold the time, let it go, and sleep in it. Only a node whose time is virtual has it."""

from collections.abc import Mapping

from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import (
    GetCurrentTimeResponse,
    LockTimeSkippingRequest,
    LockTimeSkippingResponse,
    SleepRequest,
    SleepResponse,
    SleepUntilRequest,
    UnlockTimeSkippingRequest,
    UnlockTimeSkippingResponse,
    service_pb2,
)

from outlast.engine.refusals import FailedPrecondition
from outlast.engine.wire import set_time
from outlast.server.clock import NotLocked, VirtualClock
from outlast.server.frontend.calls import Call, Handler

TEST_SERVICE = service_pb2.DESCRIPTOR.services_by_name["TestService"]


class TimeCalls:
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def handlers(self) -> Mapping[str, Handler]:
        """Every call of the service, by its name on the wire."""
        return {
            "LockTimeSkipping": self.lock,
            "UnlockTimeSkipping": self.unlock,
            "Sleep": self.sleep,
            "SleepUntil": self.sleep_until,
            "UnlockTimeSkippingWithSleep": self.unlock_with_sleep,
            "GetCurrentTime": self.get_current_time,
        }

    async def lock(self, request: LockTimeSkippingRequest, call: Call) -> LockTimeSkippingResponse:
        self._clock.lock()
        return LockTimeSkippingResponse()

    async def unlock(self, request: UnlockTimeSkippingRequest, call: Call) -> UnlockTimeSkippingResponse:
        try:
            self._clock.unlock()
        except NotLocked as error:
            raise FailedPrecondition(str(error)) from None
        return UnlockTimeSkippingResponse()

    async def sleep(self, request: SleepRequest, call: Call) -> SleepResponse:
        await self._clock.sleep(request.duration.ToNanoseconds())
        return SleepResponse()

    async def sleep_until(self, request: SleepUntilRequest, call: Call) -> SleepResponse:
        await self._clock.sleep_until(request.timestamp.ToNanoseconds())
        return SleepResponse()

    async def unlock_with_sleep(self, request: SleepRequest, call: Call) -> SleepResponse:
        try:
            await self._clock.sleep_unlocked(request.duration.ToNanoseconds())
        except NotLocked as error:
            raise FailedPrecondition(str(error)) from None
        return SleepResponse()

    async def get_current_time(self, request: Empty, call: Call) -> GetCurrentTimeResponse:
        reply = GetCurrentTimeResponse()
        set_time(reply.time, self._clock())
        return reply
