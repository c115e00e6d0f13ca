"""Starting a span around a block, and what its status says of an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from outlast.contrib.opentelemetry._context import attached
from outlast.exceptions import ApplicationError, ApplicationErrorCategory


@contextmanager
def span_around(tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, str], parent: Context | None = None) -> Iterator[None]:
    """A span that is current in the block and ends with it. An error makes it fail, unless it is a benign one."""
    with (
        attached(parent),
        tracer.start_as_current_span(name, parent, kind, attributes, set_status_on_exception=False) as span,
    ):
        try:
            yield
        except Exception as error:
            if not isinstance(error, ApplicationError) or error.category != ApplicationErrorCategory.BENIGN:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise
