"""The `outlast-test-server` command: a server whose time jumps, in place of the official test server's binary."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

USAGE = "usage: outlast-test-server PORT [--enable-time-skipping]"
RETENTION_S = 100 * 365 * 86_400
"""What a test has run stays there, however many days it lets go by."""
_EXIT_USAGE = 2
_EXIT_FAILED = 1


def main() -> None:
    """Serve until a signal comes. With --enable-time-skipping the time is unlocked from the start; without, a client unlocks it."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code."""
    flags = [argument for argument in arguments if argument.startswith("-")]
    ports = [argument for argument in arguments if not argument.startswith("-")]
    if flags in (["-h"], ["--help"]):
        sys.stdout.write(USAGE + "\n")
        return 0
    if len(ports) != 1 or not ports[0].isdecimal() or flags not in ([], ["--enable-time-skipping"]):
        sys.stderr.write(USAGE + "\n")
        return _EXIT_USAGE
    try:
        asyncio.run(_serve(int(ports[0]), locked=not flags))
    except OSError as error:
        sys.stderr.write(f"outlast-test-server: {error}\n")
        return _EXIT_FAILED
    return 0


async def _serve(port: int, *, locked: bool) -> None:
    # gRPC's core writes its own lines to standard error, about a taken port for one; ours say it better.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from outlast.server.clock import VirtualClock
    from outlast.server.node import Node, NodeSettings

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    node = Node(NodeSettings(port=port, any_namespace=True, retention_s=RETENTION_S), VirtualClock(locked=locked))
    await node.start()
    await stopping.wait()
    await node.stop()
