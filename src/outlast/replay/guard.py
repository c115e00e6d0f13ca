"""Stops calls in workflow code that would not come out the same in a replay, and says what to call instead.

Three means, installed once for the process, when the first guarded workflow starts:

* functions of modules (`time.time`, `random.choice`, `uuid.uuid4`, …) are replaced by ones that look whether a guarded workflow runs;
* so are the constructors of `datetime` that read the clock, in the class itself;
* an audit hook sees files, sockets and processes, however they are reached.

`asyncio.wait` and `asyncio.as_completed` warn, since they work on sets.

What they cost elsewhere is a look at the running event loop. What they cannot see: functions that a module other than that of
the workflow imported by name before (`from time import time`), the order of sets, and memory addresses (`id`, `hash` of objects).
"""

from __future__ import annotations

import ctypes
import datetime
import functools
import gc
import importlib
import sys
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from outlast.replay.loop import WorkflowLoop, running_loop
from outlast.workflow._exceptions import NondeterminismError
from outlast.workflow._scope import scope
from outlast.workflow._unsafe import _sandbox_unrestricted

_CLOCK: Final = "workflow.now(), workflow.time() or workflow.time_ns()"
_CHANCE: Final = "workflow.random()"
_UUID: Final = "workflow.uuid4()"
_ACTIVITY: Final = "an activity"
_PAUSE: Final = "await workflow.sleep() or asyncio.sleep()"

_FUNCTIONS: Final[dict[str, dict[str, str]]] = {
    "time": {
        "sleep": _PAUSE,
        **dict.fromkeys(("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"), _CLOCK),
        **dict.fromkeys(("process_time", "process_time_ns", "thread_time", "thread_time_ns"), _CLOCK),
        **dict.fromkeys(("localtime", "gmtime", "ctime", "asctime", "strftime"), _CLOCK),
    },
    "random": dict.fromkeys(
        (
            *("betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits", "lognormvariate"),
            *("normalvariate", "paretovariate", "randbytes", "randint", "random", "randrange", "sample", "seed", "shuffle"),
            *("triangular", "uniform", "vonmisesvariate", "weibullvariate"),
        ),
        _CHANCE,
    ),
    "uuid": {"uuid1": _UUID, "uuid4": _UUID, "getnode": _UUID},
    "os": {"urandom": _CHANCE, "getrandom": _CHANCE},
    "secrets": dict.fromkeys(("choice", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"), _CHANCE),
}
"""What is not deterministic, and what to use instead."""

_ARGUMENTS_THAT_SAY_WHEN: Final = {"time.localtime": 1, "time.gmtime": 1, "time.ctime": 1, "time.asctime": 1, "time.strftime": 2}
"""Of functions that read the clock only if they are not told the time: how many arguments tell it."""

_AUDITED: Final[dict[str, str]] = {
    "open": "open (files)",
    **dict.fromkeys(("os.listdir", "os.scandir", "os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.truncate"), "os (files)"),
    **dict.fromkeys(
        ("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostname"), "socket"
    ),
    **dict.fromkeys(("subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.exec", "os.posix_spawn"), "subprocess"),
    "sqlite3.connect": "sqlite3.connect",
    "builtins.input": "input",
}
"""Events of the interpreter, and what calls them."""

_EXEMPT: Final = frozenset(
    {
        *("outlast", "logging", "warnings", "traceback", "linecache", "tokenize", "inspect", "copy"),
        *("pdb", "bdb", "debugpy", "pydevd", "_pydevd_bundle", "coverage", "opentelemetry", "sentry_sdk", "structlog", "loguru"),
    }
)
"""Packages that may do what workflow code may not: nothing that they find out comes back to it."""

_installed = False
_covered: set[str] = set()
_guarded_instead_of: dict[int, Callable[..., Any]] = {}
"""By the identity of the original function."""


class RestrictedWorkflowAccessError(NondeterminismError):
    """Workflow code called something that would not come out the same in a replay."""

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """What the error says if nothing better is known."""
        return _message(qualified_name, _ACTIVITY)


def _message(name: str, instead: str) -> str:
    return (
        f"Cannot access {name} from inside a workflow: it would not come out the same in a replay. Use {instead} instead. If the"
        " outcome does not matter to the workflow, allow it in a block: `with workflow.unsafe.sandbox_unrestricted():`."
    )


def protect(cls: type) -> None:
    """Guard the workflows of this class: install the guard, and replace what its module imported by name before."""
    global _installed
    if not _installed:
        _installed = True
        _install()
    if cls.__module__ not in _covered:
        _covered.add(cls.__module__)
        names = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
        for name, value in list(names.items()):
            if (guarded := _guarded_instead_of.get(id(value))) is not None:
                names[name] = guarded


def unguarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run without the guard."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with scope(_sandbox_unrestricted, True):
            return function(*args, **kwargs)

    return call


def _install() -> None:
    for module_name, functions in _FUNCTIONS.items():
        module = importlib.import_module(module_name)
        for name, instead in functions.items():
            if (original := getattr(module, name, None)) is not None:
                guarded = _guarded(original, f"{module_name}.{name}", instead)
                _guarded_instead_of[id(original)] = guarded
                setattr(module, name, guarded)
    if sys.implementation.name == "cpython":
        _replace_constructor(datetime.datetime, "now")
        _replace_constructor(datetime.datetime, "utcnow")
        _replace_constructor(datetime.date, "today")
    generators = importlib.import_module("random")
    generators.Random.seed = _seeded(generators.Random.seed)
    vars(generators)["_urandom"] = importlib.import_module("os").urandom
    tasks = importlib.import_module("asyncio")
    for name in ("wait", "as_completed"):
        setattr(tasks, name, _warning(getattr(tasks, name), name))
    thread = importlib.import_module("threading").Thread
    thread.start = _guarded(thread.start, "threading.Thread.start", _ACTIVITY)
    sys.addaudithook(_audit)


def _guarded(original: Callable[..., Any], name: str, instead: str) -> Callable[..., Any]:
    enough = _ARGUMENTS_THAT_SAY_WHEN.get(name, sys.maxsize)

    @functools.wraps(original)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        loop = running_loop()
        if type(loop) is WorkflowLoop and loop.guarded and len(args) < enough:
            _refuse(sys._getframe(1), name, instead)
        return original(*args, **kwargs)

    return guarded


def _seeded(original: Callable[..., None]) -> Callable[..., None]:
    """The method of generators that is called with each new one, too."""

    @functools.wraps(original)
    def seed(self: Any, a: Any = None, *args: Any, **kwargs: Any) -> None:
        if a is None:
            loop = running_loop()
            if type(loop) is WorkflowLoop and loop.guarded:
                _refuse(sys._getframe(1), "random.Random without a seed", _CHANCE)
        original(self, a, *args, **kwargs)

    return seed


def _replace_constructor(clock: type, name: str) -> None:
    """Replace a class method of a type that is written in C: its dictionary is behind a proxy, and the method cache must be told."""
    original = clock.__dict__[name]

    @functools.wraps(getattr(clock, name))
    def guarded(cls: type, *args: Any, **kwargs: Any) -> Any:
        loop = running_loop()
        if type(loop) is WorkflowLoop and loop.guarded:
            kind = "datetime" if issubclass(cls, datetime.datetime) else "date"
            _refuse(sys._getframe(1), f"datetime.{kind}.{name}", _CLOCK)
        return original.__get__(None, cls)(*args, **kwargs)

    [attributes] = [found for found in gc.get_referents(clock.__dict__) if isinstance(found, dict)]
    attributes[name] = classmethod(guarded)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(clock))


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if event in _AUDITED:
        loop = running_loop()
        if type(loop) is WorkflowLoop and loop.guarded:
            _refuse(sys._getframe(1), _AUDITED[event], _ACTIVITY)


def _warning(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def warned(*args: Any, **kwargs: Any) -> Any:
        loop = running_loop()
        if type(loop) is WorkflowLoop and loop.guarded and _is_workflow_code(sys._getframe(1)):
            text = f"asyncio.{name}() gives sets, whose order is not the same in a replay; use workflow.{name}() instead"
            warnings.warn(text, UserWarning, stacklevel=2)
        return original(*args, **kwargs)

    return warned


def _refuse(frame: FrameType, name: str, instead: str) -> None:
    if _is_workflow_code(frame):
        raise RestrictedWorkflowAccessError(name, override_message=_message(name, instead))


def _is_workflow_code(frame: FrameType | None) -> bool:
    """Whether a call comes from workflow code, or from a library that it calls, and not from a module that is being imported."""
    if _sandbox_unrestricted.get():
        return False
    is_its_own = False
    while frame is not None and frame.f_code is not WorkflowLoop.inside.__code__:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package == "importlib" or (package in _EXEMPT and not is_its_own):
            return False
        is_its_own = is_its_own or package not in sys.stdlib_module_names
        frame = frame.f_back
    return is_its_own
