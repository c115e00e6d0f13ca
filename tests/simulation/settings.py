"""What one seed's world is like: how big, how small its limits, which faults and how often."""

from dataclasses import dataclass
from random import Random

FAULTS_S = 40.0
"""For so long things go wrong; then all is healed, and everything must come to its end."""
HEALED_S_MAX = 1200.0
"""Within this after the healing every run has closed."""


@dataclass(frozen=True)
class Settings:
    """Drawn from the seed, once. Probabilities are for each request, commit, read or task."""

    workflow_ids: int
    clients: int
    operations: int
    workers: int
    pollers: int
    sticky: bool
    eager: bool
    shuffle: bool
    # The network
    request_lost: float = 0.0
    reply_lost: float = 0.0
    duplicated: float = 0.0
    disconnect: float = 0.0
    slow: float = 0.0
    # The store
    commit_fails: float = 0.0
    read_fails: float = 0.0
    stall: float = 0.0
    latency: float = 0.0
    power_loss: float = 0.0
    # Power losses at a moment of their own, clean restarts, crashes of workers: how many in all
    outages: int = 0
    restarts: int = 0
    worker_crashes: int = 0
    misbehaviour: float = 0.0
    """Of activities and of workflow workers."""
    # What clients do beside the usual
    pauses: bool = False
    resets: bool = False
    schedules: bool = False
    retention_s: int = 86400
    """How long closed runs are kept."""
    # Bounds of the server, made small
    page_batches: int = 256
    tail_batches: int = 64
    cached_runs: int = 2000
    horizon_s: int = 120
    scan_page: int = 1000
    commit_writes: int = 500
    offers: int = 100_000
    buffered_events: int = 100

    @property
    def store_is_sound(self) -> bool:
        """No commit is ever lost: what was decided in memory comes true."""
        return not (self.commit_fails or self.read_fails or self.power_loss or self.outages)


def draw(random: Random) -> Settings:
    values: dict[str, object] = {
        "workflow_ids": random.randint(1, 3),
        "clients": random.randint(1, 2),
        "operations": random.randint(2, 7),
        "workers": random.randint(1, 2),
        "pollers": random.randint(1, 2),
        "sticky": random.random() < 0.7,
        "eager": random.random() < 0.3,
        "shuffle": random.random() < 0.3,
    }
    kind = random.choice(("calm", "network", "store", "power", "workers", "all", "all"))
    if kind in ("network", "all"):
        for name, most in (("request_lost", 0.1), ("reply_lost", 0.15), ("duplicated", 0.2), ("disconnect", 0.3), ("slow", 0.3)):
            values[name] = random.choice((0.0, most / 3, most))
    if kind in ("store", "all"):
        for name, most in (("commit_fails", 0.15), ("read_fails", 0.1), ("stall", 0.1), ("latency", 0.8)):
            values[name] = random.choice((0.0, most / 3, most))
    if kind in ("power", "all"):
        values["power_loss"] = random.choice((0.0, 0.02, 0.08))
        values["outages"] = random.randint(0, 2)
        values["restarts"] = random.randint(0, 1)
    if kind in ("workers", "all"):
        values["worker_crashes"] = random.randint(0, 3)
        values["misbehaviour"] = random.choice((0.1, 0.4, 0.8))
    if random.random() < 0.5:
        for name, small in _SMALL.items():
            if random.random() < 0.4:
                values[name] = random.choice(small)
    for name in ("pauses", "resets", "schedules"):
        values[name] = random.random() < 0.3
    if random.random() < 0.3:
        values["retention_s"] = random.choice((2, 8, 20))
    return Settings(**values)  # type: ignore[arg-type]


_SMALL = {
    "page_batches": (1, 2, 5),
    "tail_batches": (1, 3),
    "cached_runs": (0, 1, 2),
    "horizon_s": (1, 5),
    "scan_page": (1, 2),
    "commit_writes": (1, 3),
    "offers": (2, 4),
    "buffered_events": (1, 3),
}
