"""Payload codecs: bytes to other bytes, such as compression or encryption."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import temporalio.api.common.v1
import temporalio.api.failure.v1

from outlast.converter._visitor import transform_payloads


class PayloadCodec(ABC):
    """Turns payloads into other payloads after conversion, and back before it."""

    @abstractmethod
    async def encode(self, payloads: Sequence[temporalio.api.common.v1.Payload]) -> list[temporalio.api.common.v1.Payload]:
        """Encode payloads, without changing them.

        Returns:
            As many payloads as were given, or fewer, but at least one.
        """
        raise NotImplementedError

    @abstractmethod
    async def decode(self, payloads: Sequence[temporalio.api.common.v1.Payload]) -> list[temporalio.api.common.v1.Payload]:
        """Decode payloads, without changing them. The counterpart of `encode`."""
        raise NotImplementedError

    async def encode_wrapper(self, payloads: temporalio.api.common.v1.Payloads) -> None:
        """Encode what a Payloads message holds, in place."""
        _replace(payloads, await self.encode(payloads.payloads))

    async def decode_wrapper(self, payloads: temporalio.api.common.v1.Payloads) -> None:
        """Decode what a Payloads message holds, in place."""
        _replace(payloads, await self.decode(payloads.payloads))

    async def encode_failure(self, failure: temporalio.api.failure.v1.Failure) -> None:
        """Encode the payloads of a failure and its causes, in place. Not meant to be overridden."""
        await transform_payloads(failure, self.encode)

    async def decode_failure(self, failure: temporalio.api.failure.v1.Failure) -> None:
        """Decode the payloads of a failure and its causes, in place. Not meant to be overridden."""
        await transform_payloads(failure, self.decode)


def _replace(payloads: temporalio.api.common.v1.Payloads, new: Sequence[temporalio.api.common.v1.Payload]) -> None:
    del payloads.payloads[:]
    payloads.payloads.extend(new)
