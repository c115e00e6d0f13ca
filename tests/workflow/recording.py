"""A runtime that writes down what the functions of the workflow module ask of it, and answers what the test has given it."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from outlast.workflow._runtime import RUNTIME_ATTRIBUTE, Runtime


class Recording:
    """What was asked, in order: the name of the question and its arguments."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def answer(self, name: str, arguments: dict[str, Any]) -> Any:
        self.asked.append((name, arguments))
        return self.answers.get(name)


@contextmanager
def in_workflow(**answers: Any) -> Iterator[Recording]:
    """Make the running event loop that of a workflow."""
    recording = Recording(answers)
    loop = asyncio.get_running_loop()
    setattr(loop, RUNTIME_ATTRIBUTE, _runtime(recording))
    try:
        yield recording
    finally:
        delattr(loop, RUNTIME_ATTRIBUTE)


def _runtime(recording: Recording) -> Runtime:
    names = Runtime.__abstractmethods__
    return type("RecordingRuntime", (Runtime,), {name: _method(name, recording) for name in names})()


def _method(name: str, recording: Recording) -> Callable[..., Any]:
    asked = getattr(Runtime, name)
    signature = inspect.signature(asked)

    def answer(*args: Any, **kwargs: Any) -> Any:
        arguments = dict(signature.bind(*args, **kwargs).arguments)
        del arguments["self"]
        return recording.answer(name, arguments)

    async def answer_later(*args: Any, **kwargs: Any) -> Any:
        return answer(*args, **kwargs)

    return answer_later if inspect.iscoroutinefunction(asked) else answer
