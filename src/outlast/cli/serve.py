"""One server process: it starts a node, waits for a signal, and ends cleanly."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

import msgspec

from outlast.cli import banner, logs
from outlast.cli.banner import Face
from outlast.cli.settings import MEMORY, ServerSettings

# gRPC's core writes its own lines to standard error, about a taken port for one; ours say it better.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from outlast.server.node import Node, NodeSettings
from outlast.server.store.errors import StoreError

logger = logging.getLogger(__name__)
EXIT_FAILED = 1
EXIT_AT_ONCE = 130


def serve(settings: ServerSettings, face: Face, *, print_settings: bool, warnings: Sequence[str]) -> int:
    """Serve until a signal comes; returns the exit code. Every error that an operator can mend is one line."""
    logs.configure(settings.log_level, settings.log_format, color=face.colors(terminal=sys.stderr.isatty()))
    for warning in warnings:
        logger.warning("%s", warning)
    if print_settings:
        sys.stderr.write(msgspec.json.format(msgspec.json.encode(settings), indent=2).decode() + "\n")
    try:
        return asyncio.run(_serve(settings, face))
    except StoreError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(_why_not_listening(settings) or str(error))


async def _serve(settings: ServerSettings, face: Face) -> int:
    stopping = _stop_on_signals()
    node = Node(_node_settings(settings))
    await node.start()
    known = banner.facts(settings, node.address)
    with contextlib.suppress(BrokenPipeError):  # nobody reads the banner; that is no reason not to serve
        banner.show(known, face, settings.log_format)
    logger.info("serving", extra={"address": known.address, "store": known.store, "version": known.version})
    name = await stopping
    logger.info("stopping", extra={"signal": name})
    await node.stop()
    logger.info("stopped")
    return 0


def _stop_on_signals() -> "asyncio.Future[str]":
    """Done with the name of the first SIGTERM or SIGINT. A SIGINT after that ends the process at once: what it has
    committed is safe, and nobody should have to look for a bigger hammer."""
    loop = asyncio.get_running_loop()
    stopping: asyncio.Future[str] = loop.create_future()

    def on_signal(number: signal.Signals) -> None:
        if not stopping.done():
            stopping.set_result(number.name)
        elif number == signal.SIGINT:
            os._exit(EXIT_AT_ONCE)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    return stopping


def _node_settings(settings: ServerSettings) -> NodeSettings:
    return NodeSettings(
        ip=_host(settings.ip),
        port=settings.port,
        db_filename=None if settings.db_filename == MEMORY else settings.db_filename,
        namespaces=settings.namespaces,
        search_attributes=dict(settings.search_attributes),
        sqlite_pragmas=dict(settings.sqlite_pragmas),
        dynamic_config=dict(settings.dynamic_config),
    )


def _host(ip: str) -> str:
    """As gRPC takes it. It would listen on the free one of the two addresses of `localhost` when the other is taken."""
    if ip == "localhost":
        return "127.0.0.1"
    return f"[{ip}]" if ":" in ip else ip


def _why_not_listening(settings: ServerSettings) -> str | None:
    """What gRPC does not tell about an address it could not listen on; None when there is nothing wrong with it (any more)."""
    asked = f"--ip {settings.ip} --port {settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.ip, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        return f"{asked}: cannot find the address {settings.ip}: {error.strerror}"
    except OSError as error:
        match error.errno:
            case errno.EADDRINUSE:
                return f"{asked}: another process listens on port {settings.port}; stop it, or choose another port"
            case errno.EADDRNOTAVAIL:
                return f"{asked}: {settings.ip} is not an address of this machine"
            case errno.EACCES:
                return f"{asked}: this user may not listen on port {settings.port}; choose one above 1023"
            case _:
                return f"{asked}: cannot listen: {error.strerror}"
    return None


def _failed(message: str) -> int:
    sys.stderr.write(f"outlast: {message}\n")
    return EXIT_FAILED
