"""What a server says when it begins to serve: a screen for people, or an object for machines."""

import os
import sys
from collections.abc import Sequence

import msgspec

from outlast.cli.settings import MEMORY, NOT_BUILT, BadFlag, ServerSettings, flag_of
from outlast.cli.switches import SWITCHES
from outlast.cli.version import PROTOCOL_VERSION, package_version


class Face(msgspec.Struct, frozen=True):
    """How to speak to whoever started the process."""

    output: str = "text"
    """text, json, jsonl or none."""
    color: str = "auto"
    """auto, always or never."""

    def colors(self, *, terminal: bool) -> bool:
        """Whether to colour what goes to something that is or is not a terminal."""
        if self.color == "auto":
            return terminal and "NO_COLOR" not in os.environ
        return self.color == "always"


class Facts(msgspec.Struct, frozen=True):
    """What the banner says."""

    version: str
    protocol: str
    address: str
    store: str
    """The absolute name of the file; ":memory:" without one."""
    namespaces: tuple[str, ...]
    not_built: tuple[str, ...]
    """Flags that were given although nothing reads them yet."""
    pid: int


def choice(flag: str, value: object, default: str, *others: str) -> str:
    """The value of a flag that is not a server setting. Raises BadFlag."""
    if value is None:
        return default
    if value not in (default, *others):
        raise BadFlag(f"{flag} {value}: expected one of {', '.join((default, *others))}")
    return str(value)


def facts(settings: ServerSettings, address: str) -> Facts:
    in_memory = settings.db_filename == MEMORY
    defaults = ServerSettings()
    idle = [name for name in settings.__struct_fields__ if name in NOT_BUILT and getattr(settings, name) != getattr(defaults, name)]
    unread = sorted(set(settings.dynamic_config) - SWITCHES.keys())
    if in_memory and settings.sqlite_pragmas:
        idle.append("sqlite_pragmas")
    return Facts(
        package_version(),
        PROTOCOL_VERSION,
        address,
        MEMORY if in_memory else os.path.abspath(settings.db_filename),
        settings.namespaces,
        (*map(flag_of, idle), *(f"{flag_of('dynamic_config')} {switch}" for switch in unread)),
        os.getpid(),
    )


def show(known: Facts, face: Face, log_format: str) -> None:
    """Print it. One object on one line where the logs are objects too: the two streams often end in one place."""
    if face.output == "none":
        return
    if face.output in ("json", "jsonl") or log_format == "json":
        sys.stdout.write(msgspec.json.encode(known).decode() + "\n")
    elif face.colors(terminal=sys.stdout.isatty()):
        _show_rich(known)
    else:
        width = max(len(label) for label, _ in _lines(known))
        sys.stdout.write("\n".join([_title(known), "", *(f"  {label:{width}}  {text}" for label, text in _lines(known)), "", ""]))
    sys.stdout.flush()


def _title(known: Facts) -> str:
    return f"Outlast {known.version} (server {known.protocol} protocol)"


def _lines(known: Facts) -> Sequence[tuple[str, str]]:
    stored = "in memory: nothing is kept when the server stops" if known.store == MEMORY else known.store
    lines = [("Server", known.address), ("Store", stored), ("Namespaces", ", ".join(known.namespaces))]
    if known.not_built:
        lines.append(("Not in use", f"{', '.join(known.not_built)}: accepted, but without effect yet"))
    lines.append(("Stop", f"Ctrl+C, or SIGTERM to process {known.pid}"))
    return lines


def _show_rich(known: Facts) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(force_terminal=True, highlight=False)
    table = Table.grid(padding=(0, 2))
    for label, text in _lines(known):
        warns = label == "Not in use" or (label == "Store" and known.store == MEMORY)
        table.add_row("", Text(label, "dim"), Text(text, "yellow" if warns else "bold" if label == "Server" else ""))
    console.print(Text(_title(known), "bold cyan"), "", table, "", sep="\n")
