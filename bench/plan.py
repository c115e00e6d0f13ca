"""How much is measured: every size of a run of the benchmarks."""

import msgspec


class Plan(msgspec.Struct, frozen=True):
    """The sizes of one run."""

    rounds: int
    repeats_max: int
    """Rounds that are measured in place of those that others disturbed."""
    patience_s: float
    """How long a measurement waits for others to leave the machine alone."""
    workflows: dict[str, int]
    """Of each workload in one round, at CONCURRENCY."""
    workflows_alone: int
    """Of each workload one at a time."""
    memory_workflows: int
    """How many workflows of `one` Outlast has run when its memory is read."""
    memory_workflows_dev: int
    """The same for the development server, which takes five times as long over each."""
    settle_s: float
    """The pause before a server at rest is measured."""
    idle_s: float
    history_sizes: tuple[int, ...]
    """Events in the history before the workflow tasks that are measured; the first is the one to compare with."""
    history_blocks: int
    """How often each size is measured, each time in a workflow of its own."""
    history_cycles: int
    """Workflow tasks in one block."""
    closed_runs: int
    sleeping_runs: int
    startups: int


FULL = Plan(
    rounds=5,
    repeats_max=5,
    patience_s=60.0,
    workflows={"noop": 600, "one": 400, "seq": 120},
    workflows_alone=50,
    memory_workflows=10_000,
    memory_workflows_dev=1_000,
    settle_s=3.0,
    idle_s=20.0,
    history_sizes=(100, 1_000, 10_000),
    history_blocks=3,
    history_cycles=60,
    closed_runs=100_000,
    sleeping_runs=10_000,
    startups=3,
)
QUICK = Plan(
    rounds=1,
    repeats_max=0,
    patience_s=0.0,
    workflows={"noop": 100, "one": 80, "seq": 40},
    workflows_alone=20,
    memory_workflows=1_000,
    memory_workflows_dev=100,
    settle_s=1.0,
    idle_s=3.0,
    history_sizes=(100, 1_000),
    history_blocks=2,
    history_cycles=40,
    closed_runs=5_000,
    sleeping_runs=500,
    startups=2,
)
DISTURBED_PERCENT = 15.0
"""A measurement is disturbed when other processes took more of the machine than this."""
QUIET_LOOK_S = 5.0
"""How long one look at the others takes."""
CONCURRENCY = 20
"""Workflows under way at a time when throughput is measured."""
READY_S = 60.0
"""How long a server may take to answer for the first time."""
STOP_S = 20.0
"""How long a server may take to stop."""
CLIENT_S = 1_200.0
"""How long a client process may run."""


class ScalePlan(msgspec.Struct, frozen=True):
    """The sizes of what must stay flat."""

    sleepers: tuple[int, ...]
    """Workflows asleep at each look; the first is the one to compare with."""
    newcomers: int
    """New workflows that are timed at each look."""
    backlog: int
    """Workflows started at once."""
    backlog_pause_s: float
    """What the one worker takes over each workflow task, beside its calls."""
    fans: tuple[int, ...]
    """Parallel activities in one workflow."""
    fan_blocks: int
    """How often each of them is measured, in turn."""
    fan_activities: int
    """How many activities make a block, in as many workflows as that takes."""
    long_events: int
    """The length of the long history."""
    long_step: int
    """Events between two points of its curve."""
    page_events: int
    """Events on a page of history."""


SCALE_FULL = ScalePlan(
    sleepers=(0, 25_000, 50_000, 100_000),
    newcomers=300,
    backlog=10_000,
    backlog_pause_s=0.001,
    fans=(10, 50, 100, 500),
    fan_blocks=3,
    fan_activities=500,
    long_events=50_000,
    long_step=2_500,
    page_events=1_000,
)
SCALE_QUICK = ScalePlan(
    sleepers=(0, 500, 1_000),
    newcomers=50,
    backlog=300,
    backlog_pause_s=0.001,
    fans=(10, 50),
    fan_blocks=2,
    fan_activities=50,
    long_events=2_000,
    long_step=500,
    page_events=200,
)


class EmbeddedPlan(msgspec.Struct, frozen=True):
    """The sizes of what is measured of the SDK."""

    rounds: int
    workflows: int
    """Of noop, embedded; the others in proportion."""
    workflows_wire: int
    """Of noop, over gRPC; the others in proportion."""
    workflows_peer: int
    """Of each workload, at each peer."""
    replay_events: int
    openings: int
    """How often a fresh process imports and opens."""


EMBEDDED_FULL = EmbeddedPlan(rounds=3, workflows=3_000, workflows_wire=600, workflows_peer=120, replay_events=10_000, openings=5)
EMBEDDED_QUICK = EmbeddedPlan(rounds=1, workflows=200, workflows_wire=100, workflows_peer=30, replay_events=1_000, openings=1)
