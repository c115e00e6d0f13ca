"""How many per second: a moving average over the last half minute, in a few counters."""

from collections import deque

from outlast.server.matching.limits import RATE_BUCKET, RATE_BUCKETS, SECOND


class MovingRate:
    """Counts in buckets of five seconds; only the last six count."""

    __slots__ = ("_bucket", "_count", "_older", "_since")

    def __init__(self, now: int) -> None:
        self._since = now
        self._bucket = now // RATE_BUCKET
        self._count = 0
        self._older: deque[tuple[int, int]] = deque(maxlen=RATE_BUCKETS)
        """(bucket, count), oldest first; the current bucket is not among them."""

    def add(self, now: int) -> None:
        bucket = now // RATE_BUCKET
        if bucket != self._bucket:
            self._older.append((self._bucket, self._count))
            self._bucket, self._count = bucket, 0
        self._count += 1

    def per_second(self, now: int) -> float:
        oldest = now // RATE_BUCKET - RATE_BUCKETS
        counted = sum(count for bucket, count in (*self._older, (self._bucket, self._count)) if bucket > oldest)
        # A young queue is measured over its own age; the oldest whole bucket bounds the window of an old one.
        window = min(now - self._since, now - (oldest + 1) * RATE_BUCKET)
        return counted * SECOND / max(window, SECOND)
