"""One task queue in memory: offers that wait for pollers, or pollers that wait for offers, never both."""

from collections import OrderedDict
from collections.abc import Hashable

from outlast.server.handover import Poller, QueryWork, QueueDescription, QueueName
from outlast.server.matching.limits import OFFERS_MAX, QUEUE_IDLE
from outlast.server.matching.pollers import Pollers
from outlast.server.matching.rate import MovingRate


class TaskQueue:
    """Offers in order of arrival, pollers in order of patience."""

    __slots__ = ("_added", "_dispatched", "_offers", "_queries", "_refused", "_used_at", "name", "pollers")

    def __init__(self, name: QueueName, now: int) -> None:
        self.name = name
        self.pollers = Pollers()
        self._offers: OrderedDict[Hashable, int] = OrderedDict()
        """Work and when it was offered."""
        self._queries: OrderedDict[QueryWork, None] = OrderedDict()
        self._added = MovingRate(now)
        self._dispatched = MovingRate(now)
        self._used_at = now
        self._refused = False

    def add(self, work: Hashable, now: int) -> bool:
        """Hand the work to the poller that waits longest, or keep it; False when there is no room."""
        self._used_at = now
        if work in self._offers:
            return True
        if not self.pollers.hand_over(work):
            if len(self._offers) >= OFFERS_MAX:
                self._refused = True
                return False
            self._offers[work] = now
        self._added.add(now)
        return True

    def add_query(self, work: QueryWork, now: int) -> None:
        self._used_at = now
        if not self.pollers.hand_over(work):
            self._queries[work] = None

    def put_back(self, work: Hashable, now: int) -> None:
        """Work that was assigned, but not claimed: it is the next in line again, and always finds room."""
        self._used_at = now
        if self.pollers.hand_over(work):
            self._offers.pop(work, None)
        elif isinstance(work, QueryWork):
            self._queries[work] = None
            self._queries.move_to_end(work, last=False)
        else:
            self._offers.setdefault(work, now)
            self._offers.move_to_end(work, last=False)

    def withdraw(self, work: Hashable) -> None:
        if isinstance(work, QueryWork):
            self._queries.pop(work, None)
        else:
            self._offers.pop(work, None)

    def take(self, poller: Poller, now: int) -> Hashable | None:
        """The next work for this poller. Queries go first: somebody waits for each of them."""
        self._used_at = now
        self.pollers.see(poller, now)
        if self._queries:
            return self._queries.popitem(last=False)[0]
        if self._offers:
            return self._offers.popitem(last=False)[0]
        return None

    def take_offers(self) -> list[Hashable]:
        works = list(self._offers)
        self._offers.clear()
        return works

    def take_queries(self) -> list[QueryWork]:
        queries = list(self._queries)
        self._queries.clear()
        return queries

    def count_dispatch(self, now: int) -> None:
        self._dispatched.add(now)

    def has_drained(self) -> bool:
        """True once after a refusal, when fewer than half of the offers are left."""
        if self._refused and len(self._offers) < OFFERS_MAX // 2:
            self._refused = False
            return True
        return False

    @property
    def offer_count(self) -> int:
        return len(self._offers)

    @property
    def query_count(self) -> int:
        return len(self._queries)

    def is_idle(self, now: int) -> bool:
        return not (self._offers or self._queries or self.pollers) and now - self._used_at >= QUEUE_IDLE

    def describe(self, now: int) -> QueueDescription:
        oldest = next(iter(self._offers.values()), now)
        return QueueDescription(
            pollers=self.pollers.remembered(now),
            backlog_count=len(self._offers),
            oldest_offer_age_ns=max(0, now - oldest),
            add_rate=self._added.per_second(now),
            dispatch_rate=self._dispatched.per_second(now),
        )
