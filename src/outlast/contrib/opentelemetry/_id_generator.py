"""Ids of traces and spans that are the same whenever a workflow is replayed."""

from __future__ import annotations

from random import Random

from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import INVALID_SPAN_ID, INVALID_TRACE_ID

from outlast import workflow

_ATTRIBUTE = "__temporal_otel_id_random"
"""Where the object of a workflow keeps the generator of its ids."""


class TemporalIdGenerator(IdGenerator):
    """Draws ids from the workflow's random numbers inside of workflows, and from another generator elsewhere. Experimental."""

    def __init__(self, id_generator: IdGenerator) -> None:
        self._id_generator = id_generator

    def generate_span_id(self) -> int:
        """64 bits that are not all zero."""
        random = _workflow_random()
        return _draw(random, 64, INVALID_SPAN_ID) if random else self._id_generator.generate_span_id()

    def generate_trace_id(self) -> int:
        """128 bits that are not all zero."""
        random = _workflow_random()
        return _draw(random, 128, INVALID_TRACE_ID) if random else self._id_generator.generate_trace_id()


def _draw(random: Random, bits: int, invalid: int) -> int:
    while (drawn := random.getrandbits(bits)) == invalid:
        pass
    return drawn


def _workflow_random() -> Random | None:
    # A query must leave the workflow as it is, its random numbers too.
    if not workflow.in_workflow() or workflow.unsafe.is_read_only():
        return None
    instance = workflow.instance()
    random: Random | None = getattr(instance, _ATTRIBUTE, None)
    if random is None:
        random = workflow.new_random("opentelemetry")
        setattr(instance, _ATTRIBUTE, random)
    return random
