"""HTTP POST to addresses outside, for completion callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from outlast.server.shard.protocol import Answer, PostFailed

if TYPE_CHECKING:
    import httpx

_HEADERS = {"user-agent": "outlast/server"}


class Posts:
    """A client that keeps connections. It is made when the first request is sent: few servers ever send one."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Answer:
        """What the address answered. Raises PostFailed when it did not."""
        import httpx  # takes 0.1 s

        if self._client is None:
            self._client = httpx.AsyncClient(headers=_HEADERS, follow_redirects=True, timeout=None, trust_env=False)
        try:
            async with asyncio.timeout(timeout_s):
                response = await self._client.post(url, headers=dict(headers), content=body)
        except TimeoutError:
            raise PostFailed(f'Post "{url}": no answer within {timeout_s:g} s') from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PostFailed(f'Post "{url}": {error or type(error).__name__}') from error
        return Answer(response.status_code, response.reason_phrase, dict(response.headers), response.content)

    async def close(self) -> None:
        """Drop the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
