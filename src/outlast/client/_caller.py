"""What all calls to the server share: namespace, identity, converters."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import Payload, WorkflowExecution

from outlast.client._helpers import apply_headers
from outlast.common import HeaderCodecBehavior
from outlast.converter import DataConverter, WorkflowSerializationContext

if TYPE_CHECKING:
    from outlast.client._client import Client


class Caller:
    """Makes the calls of one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _converter_for(self, workflow_id: str) -> DataConverter:
        client = self._client
        return client.data_converter.with_context(WorkflowSerializationContext(namespace=client.namespace, workflow_id=workflow_id))

    async def _put_headers(self, source: Mapping[str, Payload], target: MutableMapping[str, Payload]) -> None:
        encodes = self._client._config["header_codec_behavior"] == HeaderCodecBehavior.CODEC
        await apply_headers(source, target, self._client.data_converter.payload_codec if encodes else None)


def execution(workflow_id: str, run_id: str | None) -> WorkflowExecution:
    """Names a run, or the current run of a workflow."""
    return WorkflowExecution(workflow_id=workflow_id, run_id=run_id or "")


def new_id() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())
