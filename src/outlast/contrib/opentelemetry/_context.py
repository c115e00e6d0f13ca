"""How a trace's context travels in headers, and how it is made the current one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Protocol

from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.propagators.textmap import CarrierValT, TextMapPropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.api.common.v1 import Payload

from outlast.converter import PayloadConverter

# OpenTelemetry chooses how it keeps its context when it is first asked for it, and reads files to do so. Better here than in a workflow.
otel_context.get_current()

default_text_map_propagator = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
"""W3C trace context and baggage."""


class HasHeaders(Protocol):
    """The input of a call that takes headers along."""

    headers: Mapping[str, Payload]


class Carrying:
    """Writes the current context into headers and reads it from them. A subclass may choose another key, format or encoding."""

    header_key: str = "_tracer-data"
    text_map_propagator: TextMapPropagator = default_text_map_propagator
    payload_converter: PayloadConverter = PayloadConverter.default

    def _context_to_headers(self, headers: Mapping[str, Payload], context: Context | None = None) -> Mapping[str, Payload]:
        carrier: dict[str, CarrierValT] = {}
        self.text_map_propagator.inject(carrier, context)
        return {**headers, self.header_key: self.payload_converter.to_payloads([carrier])[0]} if carrier else headers

    def _context_from_headers(self, headers: Mapping[str, Payload]) -> Context | None:
        """None if there is nothing about a trace in them."""
        payload = headers.get(self.header_key)
        carrier = self.payload_converter.from_payloads([payload])[0] if payload else None
        return self.text_map_propagator.extract(carrier) if carrier else None


@contextmanager
def attached(context: Context | None) -> Iterator[None]:
    """Make this the current context until the block ends; None leaves things as they are."""
    if context is None:
        yield
        return
    token = otel_context.attach(context)
    try:
        yield
    finally:
        # A coroutine that is closed while it waits leaves the block where the token means nothing, and where there is nothing to
        # undo. OpenTelemetry's own `detach` would log that as an error.
        with suppress(ValueError):
            token.var.reset(token)
