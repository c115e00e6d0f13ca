"""Which line of the workflow's own code is being run: what an error about non-determinism points at."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from outlast.replay.loop import ASYNCIO_HOME, WorkflowLoop

_OURS = (__file__.removesuffix("replay/where.py"), ASYNCIO_HOME, "<frozen")
_BOTTOM: CodeType = WorkflowLoop.inside.__code__
_is_ours: dict[str, bool] = {}


def user_line() -> str:
    """The line as `file:line in function`; empty if no code of the workflow is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not _BOTTOM:
        filename = frame.f_code.co_filename
        ours = _is_ours.get(filename)
        if ours is None:
            ours = _is_ours[filename] = filename.startswith(_OURS)
        if not ours:
            return f"{filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
        frame = frame.f_back
    return ""
