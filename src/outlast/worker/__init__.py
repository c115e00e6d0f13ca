"""Workers: what runs workflows and activities, how it is tuned, wrapped and extended, and how histories are replayed."""

from outlast.common import WorkerDeploymentVersion
from outlast.replay.interceptor import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from outlast.worker._build_id import load_default_build_id
from outlast.worker._config import WorkerConfig, WorkerDeploymentConfig
from outlast.worker._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInterceptorClassInput,
)
from outlast.worker._plugin import Plugin
from outlast.worker._poller import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
from outlast.worker._replayer import Replayer, ReplayerConfig, WorkflowReplayResult, WorkflowReplayResults
from outlast.worker._runner import PatchActivationInput, UnsandboxedWorkflowRunner, WorkflowRunner
from outlast.worker._shared_state import SharedHeartbeatSender, SharedStateManager
from outlast.worker._tuning import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    LocalActivitySlotInfo,
    NexusSlotInfo,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotInfo,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    WorkerTuner,
    WorkflowSlotInfo,
)
from outlast.worker._worker import Worker

__all__ = [
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "ActivitySlotInfo",
    "ContinueAsNewInput",
    "CustomSlotSupplier",
    "ExecuteActivityInput",
    "ExecuteWorkflowInput",
    "FixedSizeSlotSupplier",
    "HandleQueryInput",
    "HandleSignalInput",
    "HandleUpdateInput",
    "Interceptor",
    "LocalActivitySlotInfo",
    "NexusSlotInfo",
    "PatchActivationInput",
    "Plugin",
    "PollerBehavior",
    "PollerBehaviorAutoscaling",
    "PollerBehaviorSimpleMaximum",
    "Replayer",
    "ReplayerConfig",
    "ResourceBasedSlotConfig",
    "ResourceBasedSlotSupplier",
    "ResourceBasedTunerConfig",
    "SharedHeartbeatSender",
    "SharedStateManager",
    "SignalChildWorkflowInput",
    "SignalExternalWorkflowInput",
    "SlotInfo",
    "SlotMarkUsedContext",
    "SlotPermit",
    "SlotReleaseContext",
    "SlotReserveContext",
    "StartActivityInput",
    "StartChildWorkflowInput",
    "StartLocalActivityInput",
    "UnsandboxedWorkflowRunner",
    "Worker",
    "WorkerConfig",
    "WorkerDeploymentConfig",
    "WorkerDeploymentVersion",
    "WorkerTuner",
    "WorkflowInboundInterceptor",
    "WorkflowInterceptorClassInput",
    "WorkflowOutboundInterceptor",
    "WorkflowReplayResult",
    "WorkflowReplayResults",
    "WorkflowRunner",
    "WorkflowSlotInfo",
    "load_default_build_id",
]
