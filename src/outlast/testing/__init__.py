"""Tests of workflows and activities: a server in the test's own process, time that skips, activities without a server."""

from outlast.testing._activity import ActivityEnvironment
from outlast.testing._timeskipping import TimeSkipper, TimeSkippingConfig
from outlast.testing._workflow import WorkflowEnvironment

__all__ = ["ActivityEnvironment", "TimeSkipper", "TimeSkippingConfig", "WorkflowEnvironment"]
