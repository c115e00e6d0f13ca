"""What the server hands out page by page, item by item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Pages(ABC, Generic[Item]):
    """An async iterator that fetches the next page when the last one is used up."""

    _limit: int | None = None

    def __init__(self, next_page_token: bytes | None) -> None:
        self._next_page_token = next_page_token
        self._current_page: Sequence[Item] | None = None
        self._current_page_index = 0
        self._yielded = 0

    @property
    def current_page_index(self) -> int:
        """Index in the current page of the item that comes next."""
        return self._current_page_index

    @property
    def current_page(self) -> Sequence[Item] | None:
        """The page that items come from now; None before the first one."""
        return self._current_page

    @property
    def next_page_token(self) -> bytes | None:
        """Where the next page begins; None if there is none, or before the first one."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Fetch the next page, whether the current one is used up or not, in this size instead of the usual one."""
        self._current_page, token = await self._fetch(page_size, self._next_page_token or b"")
        self._current_page_index = 0
        self._next_page_token = token or None

    @abstractmethod
    async def _fetch(self, page_size: int | None, token: bytes) -> tuple[Sequence[Item], bytes]:
        """A page, and where the next one begins."""

    def _within_limit(self, page_size: int) -> int:
        return page_size if self._limit is None else min(page_size, self._limit - self._yielded)

    def __aiter__(self) -> Self:
        """The iterator itself: it can be run through once."""
        return self

    async def __anext__(self) -> Item:
        """The next item."""
        if self._limit is not None and self._yielded >= self._limit:
            raise StopAsyncIteration
        while True:
            page = self._current_page
            if page is not None and self._current_page_index < len(page):
                break
            if page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            await self.fetch_next_page()
        item = page[self._current_page_index]
        self._current_page_index += 1
        self._yielded += 1
        return item
