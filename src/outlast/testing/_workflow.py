"""Environments for tests of workflows: any server, a server of its own, one whose time jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from outlast.client import Client, Interceptor, OutboundInterceptor, Plugin, StartWorkflowInput, WorkflowHandle
from outlast.common import QueryRejectCondition, SearchAttributeKey
from outlast.converter import DataConverter
from outlast.embedded import Outlast
from outlast.server.clock import VirtualClock
from outlast.server.node import NodeSettings
from outlast.service import RetryConfig, TLSConfig
from outlast.testing._assertions import AssertionErrorInterceptor
from outlast.testing._server_flags import server_flags
from outlast.testing._timeskipping import TimeSkipper, TimeSkippingConfig

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo

    from outlast.runtime import Runtime

_FOR_EVER_S = 100 * 365 * 86_400
_NOT_V2 = "needs an environment in which each workflow has a time of its own: WorkflowEnvironment.start_time_skipping_v2()"
_CONNECTS = (
    "namespace",
    "data_converter",
    "interceptors",
    "plugins",
    "default_workflow_query_reject_condition",
    "header_codec_behavior",
    "identity",
    "rpc_metadata",
    "retry_config",
    "api_key",
    "runtime",
)


class WorkflowEnvironment:
    """A server to test workflows on, and its client, from one of :meth:`from_client`, :meth:`start_local`, :meth:`start_time_skipping`.

    Leave it with ``async with`` or :meth:`shutdown`. In workflows that are started with :attr:`client` a failed ``assert`` fails the
    workflow, where elsewhere it would fail the workflow task, to be tried again and again.
    """

    @classmethod
    def from_client(cls, client: Client) -> WorkflowEnvironment:
        """The environment of a server that is there already. Its time is the real time."""
        return cls(_with_interceptors(client, AssertionErrorInterceptor()))

    @classmethod
    async def start_local(
        cls,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        tls: bool | TLSConfig = False,
        ip: str = "127.0.0.1",
        port: int | None = None,
        download_dest_dir: str | None = None,
        ui: bool = False,
        runtime: Runtime | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dev_server_existing_path: str | None = None,
        dev_server_database_filename: str | None = None,
        dev_server_log_format: str = "pretty",
        dev_server_log_level: str | None = "warn",
        dev_server_download_version: str = "default",
        dev_server_extra_args: Sequence[str] = [],
        dev_server_download_ttl: timedelta | None = None,
        dev_server_startup_timeout: timedelta | None = None,
        ui_port: int | None = None,
    ) -> WorkflowEnvironment:
        """Open a whole server in this process, in memory or in ``dev_server_database_filename``. Its time is the real time.

        :attr:`client` calls it without a socket; others can connect to ``client.service_client.config.target_host``, which has any free
        port unless ``port`` says which. Of ``dev_server_extra_args``, namespaces, search attributes and dynamic configuration are read.
        Without meaning here, since nothing is downloaded and no process is started: ``tls``, ``download_dest_dir``, ``ui``, ``ui_port``,
        and all other parameters that begin with ``dev_server_``.

        Raises :class:`outlast.embedded.OpenError` when the file or the port is taken.
        """
        flags = server_flags(dev_server_extra_args)
        return await _OwnServer._start(
            Outlast.open(
                dev_server_database_filename,
                namespace=namespace,
                namespaces=flags.namespaces,
                data_converter=data_converter,
                interceptors=interceptors,
                plugins=plugins,
                default_workflow_query_reject_condition=default_workflow_query_reject_condition,
                identity=identity,
                rpc_metadata=rpc_metadata,
                retry_config=retry_config,
                search_attributes=[*search_attributes, *flags.search_attributes],
                dynamic_config=flags.dynamic_config,
                listen=f"{ip}:{port or 0}",
                runtime=runtime,
            )
        )

    @classmethod
    async def start_time_skipping(
        cls,
        *,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = [],
        plugins: Sequence[Plugin] = [],
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        port: int | None = None,
        download_dest_dir: str | None = None,
        runtime: Runtime | None = None,
        test_server_existing_path: str | None = None,
        test_server_download_version: str = "default",
        test_server_extra_args: Sequence[str] = [],
        test_server_download_ttl: timedelta | None = None,
        test_server_startup_timeout: timedelta | None = None,
    ) -> WorkflowEnvironment:
        """Open a server in this process whose time jumps, in memory. It can do all that others can.

        While a test awaits ``result()`` of a workflow that it started (``execute_workflow`` does), the time jumps to whatever is due
        next as long as no workflow task and no activity runs or waits for a worker. Elsewhere it is as fast as the real time, and
        :meth:`sleep` moves it. It is one time for all workflows of the environment.

        :attr:`client` calls it without a socket; others can connect to ``client.service_client.config.target_host``, which has any free
        port unless ``port`` says which. Without meaning here, since nothing is downloaded and no process is started:
        ``download_dest_dir`` and all parameters that begin with ``test_server_``.
        """
        return await _TimeSkipping._start(
            Outlast(
                NodeSettings(port=port or 0, retention_s=_FOR_EVER_S, any_namespace=True),
                {
                    "data_converter": data_converter,
                    "interceptors": interceptors,
                    "plugins": plugins,
                    "default_workflow_query_reject_condition": default_workflow_query_reject_condition,
                    "identity": identity,
                    "rpc_metadata": rpc_metadata,
                    "retry_config": retry_config,
                    "runtime": runtime,
                },
                VirtualClock(),
            )
        )

    @classmethod
    async def start_time_skipping_v2(cls, *, ts_config: TimeSkippingConfig = TimeSkippingConfig(), **kwargs: Any) -> WorkflowEnvironment:  # noqa: B008
        """Open a server in this process on which each workflow has a time of its own, which skips. Experimental.

        ``ts_config`` is for the workflows that :attr:`client` starts, ``kwargs`` are as for :meth:`start_local`.
        """
        local = await cls.start_local(**kwargs)
        assert isinstance(local, _OwnServer)
        return _TimeOfItsOwn(local, TimeSkipper(local.client, config=ts_config))

    def __init__(self, client: Client) -> None:
        """Use one of the class methods."""
        self._client = client

    async def __aenter__(self) -> WorkflowEnvironment:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.shutdown()

    @property
    def client(self) -> Client:
        """A client of the environment's server."""
        return self._client

    async def connect_client(self, **kwargs: Any) -> Client:
        """Another client of this server, of the same namespace and credentials unless parameters of ``Client.connect`` say otherwise."""
        config = self.client.service_client.config
        defaults = {
            "namespace": self.client.namespace,
            "api_key": config.api_key,
            "tls": config.tls,
            "rpc_metadata": config.rpc_metadata,
            "runtime": config.runtime,
        }
        return await Client.connect(config.target_host, **(defaults | kwargs))

    async def shutdown(self) -> None:
        """Stop the server, if it is this environment's own."""

    async def sleep(self, duration: timedelta | float) -> None:
        """Let this time go by in the environment; a number is seconds. Where time skips that takes no time."""
        await asyncio.sleep(duration.total_seconds() if isinstance(duration, timedelta) else duration)

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | None = None) -> datetime:
        """What time it is in the environment. The workflow makes no difference: all have the same time."""
        return datetime.now(UTC)

    @property
    def supports_time_skipping(self) -> bool:
        """Whether time skips, in either way."""
        return self.supports_time_skipping_v1 or self.supports_time_skipping_v2

    @property
    def supports_time_skipping_v1(self) -> bool:
        """Whether this environment's time, which all its workflows share, skips."""
        return False

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether each workflow has a time of its own that skips."""
        return False

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        """In this block, awaiting a result does not let the time skip. Raises RuntimeError where each workflow has its own time."""
        yield

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """In this block, workflows are started whose time does not skip. Without effect but after :meth:`start_time_skipping_v2`."""
        yield

    async def fast_forward(self, handle: WorkflowHandle[Any, Any], duration: timedelta | float | None = None, /) -> bool:
        """Move the time of one workflow on, or to its end; see :meth:`TimeSkipper.fast_forward`.

        Raises RuntimeError but after :meth:`start_time_skipping_v2`.
        """
        raise RuntimeError(f"fast_forward {_NOT_V2}")

    async def get_time_skipping_info(self, handle: WorkflowHandle[Any, Any]) -> TimeSkippingInfo | None:
        """What the server says of a workflow's time; None if it never skipped.

        Raises RuntimeError but after :meth:`start_time_skipping_v2`.
        """
        raise RuntimeError(f"get_time_skipping_info {_NOT_V2}")


class _OwnServer(WorkflowEnvironment):
    """The server lives and ends with the environment."""

    def __init__(self, server: Outlast, client: Client) -> None:
        super().__init__(client)
        self._server = server

    @classmethod
    async def _start(cls, server: Outlast) -> WorkflowEnvironment:
        return cls(server, _with_interceptors(await server.start(), AssertionErrorInterceptor()))

    async def connect_client(self, **kwargs: Any) -> Client:
        config = self.client.service_client.config
        defaults = {
            "namespace": self.client.namespace,
            "api_key": config.api_key,
            "rpc_metadata": config.rpc_metadata,
            "runtime": config.runtime,
        }
        chosen = {name: value for name, value in (defaults | kwargs).items() if name in _CONNECTS}
        return await self._server.connect(**chosen)

    async def shutdown(self) -> None:
        await self._server.stop()


class _TimeSkipping(_OwnServer):
    """The time is locked but while somebody awaits a result, or sleeps."""

    def __init__(self, server: Outlast, client: Client) -> None:
        super().__init__(server, _with_interceptors(client, _UnlocksForResults(self)))
        self._skips_by_itself = True

    @property
    def supports_time_skipping_v1(self) -> bool:
        return True

    async def sleep(self, duration: timedelta | float) -> None:
        from temporalio.api.testservice.v1 import SleepRequest

        request = SleepRequest()
        request.duration.FromTimedelta(duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
        await self._client.test_service.unlock_time_skipping_with_sleep(request)

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | None = None) -> datetime:
        from google.protobuf.empty_pb2 import Empty

        reply = await self._client.test_service.get_current_time(Empty())
        return reply.time.ToDatetime(UTC)

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        before, self._skips_by_itself = self._skips_by_itself, False
        try:
            yield
        finally:
            self._skips_by_itself = before

    async def _unlocked(self, result: Any) -> Any:
        """Await the result while the time may skip."""
        if not self._skips_by_itself:
            return await result
        from temporalio.api.testservice.v1 import LockTimeSkippingRequest, UnlockTimeSkippingRequest

        await self._client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        try:
            return await result
        finally:
            await self._client.test_service.lock_time_skipping(LockTimeSkippingRequest())


class _TimeOfItsOwn(_OwnServer):
    """Each workflow has a time of its own."""

    def __init__(self, local: _OwnServer, skipper: TimeSkipper) -> None:
        super().__init__(local._server, skipper.client)
        self._skipper = skipper

    @property
    def supports_time_skipping_v2(self) -> bool:
        return True

    async def sleep(self, duration: timedelta | float) -> None:
        raise RuntimeError("sleep would be in nobody's time: each workflow has its own. Use fast_forward(handle, duration)")

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | None = None) -> datetime:
        if handle is None:
            raise RuntimeError("get_current_time needs a handle: each workflow has a time of its own")
        return await self._skipper.get_current_time(handle)

    @contextmanager
    def auto_time_skipping_disabled(self) -> Iterator[None]:
        raise RuntimeError("awaiting a result skips nothing here: use with_time_skipping_disabled() around the start of a workflow")
        yield

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        with self._skipper.with_time_skipping_disabled():
            yield

    async def fast_forward(self, handle: WorkflowHandle[Any, Any], duration: timedelta | float | None = None, /) -> bool:
        return await self._skipper.fast_forward(handle, duration)

    async def get_time_skipping_info(self, handle: WorkflowHandle[Any, Any]) -> TimeSkippingInfo | None:
        return await self._skipper.get_time_skipping_info(handle)


class _UnlocksForResults(Interceptor):
    """Gives out handles whose `result` lets the time skip."""

    def __init__(self, env: _TimeSkipping) -> None:
        self._env = env

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _OutboundUnlocks(next, self._env)


class _OutboundUnlocks(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, env: _TimeSkipping) -> None:
        super().__init__(next)
        self._env = env

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        handle = await super().start_workflow(input)
        handle.__class__ = _SkippingHandle  # whichever class the rest of the chain has made it of
        skipping = cast(_SkippingHandle, handle)
        skipping._env = self._env
        return skipping


class _SkippingHandle(WorkflowHandle[Any, Any]):
    _env: _TimeSkipping

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        return await self._env._unlocked(super().result(follow_runs=follow_runs, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout))


def _with_interceptors(client: Client, *added: Interceptor) -> Client:
    config = client.config()
    config["interceptors"] = [*config["interceptors"], *added]
    return Client(**config)
