"""What the compatibility page says about the official suite and samples on Outlast's own SDK: they are run by hand."""

SUITE = """\
## The official suite on the `outlast` SDK

The tests named below, of the same snapshot as above, with `temporalio` in their imports rewritten to `outlast`, on the embedded node
(`WorkflowEnvironment.start_local`), on 2026-11-26. Names of Nexus that are missing are filled in from the official package, so that
modules can be imported; private names of the official worker that tests set or read (its logic flags, its running activities, its
limit for deadlocks) are mapped to ours.

| file | tests | passed, failed, skipped |
| --- | --- | --- |
| worker/test_workflow.py | 228 | 213, 13, 2 |
| worker/test_activity.py | 56 | 55, 1, 0 |
| worker/test_replayer.py | 18 | 16, 0, 2 |
| worker/test_interceptor.py | 2 | 1, 1, 0 |
| testing | 14 | 14, 0, 0 |
| test_serialization_context.py | 18 | 15, 3, 0 |
| all | 336 | 314, 18, 4 |

| tests that fail | why |
| --- | --- |
| `test_workflow_headers_with_codec` (3) | schedules are not built |
| `test_worker_interceptor`, `test_decode_context_matches_encode_context`, `test_nexus_payload_codec_operations_lack_context` \
| Nexus is not built |
| `test_workflow_with_custom_runner`, `test_workflow_logic_flag_enabled_after_replay`, \
`test_workflow_cancel_and_condition_ready_in_same_activation` (2), `test_workflow_cancel_and_child_completion_in_same_activation` \
| they read the messages between the official SDK and its core in a workflow runner of their own; there are none. All that the four \
last ask of workflows holds |
| `test_disable_logger_sandbox` | a log handler that imports a module in workflow code fails the official sandbox; here handlers run \
with the guard off |
| `test_workflow_deadlock_uninterruptible` | asks that code which waits for a lock cannot be interrupted; here it is, and fails its task |
| `test_workflow_deadlock_fill_up_slots` | seven workflows hang at once, and all must have failed after ten seconds; activations share \
one event loop, where each takes its two seconds one after another |
| `test_workflow_eviction_swallow` | looks for a log record by its text; ours reads otherwise |
| `test_async_loop_ordering` | signals a workflow 0.2 s after its worker started; it has completed by then |
| `test_local_activity_codec_with_context` | expects the codec to be called for a local activity's arguments, too, which never leave \
the worker |
| `test_sync_activity_cancel_after_return_does_not_kill_thread_pool_worker` | Outlast is on time, as above: the test gives up before \
the worker's own limit, 5 s after the timeout, cancels the activity |
"""

SAMPLES = """\
## The official samples on the `outlast` SDK

Those of `temporalio/samples-python` (snapshot e652a4d0 of 2026-08-19) that need no service of others, with their imports rewritten in
the same way, each in processes of its own against `outlast server start-dev`, on 2026-11-26.

| sample | runs |
| --- | --- |
| `hello`: `hello_activity`, `…_async`, `…_choice`, `…_heartbeat`, `…_method`, `…_multiprocess`, `…_retry`, \
`hello_async_activity_completion`, `hello_cancellation`, `hello_change_log_level`, `hello_child_workflow`, `hello_continue_as_new`, \
`hello_cron`, `hello_exception`, `hello_local_activity`, `hello_parallel_activity`, `hello_patch`, `hello_query`, `hello_signal`, \
`hello_update` | yes |
| `batch_sliding_window`, `context_propagation`, `custom_converter`, `custom_decorator`, `custom_metric`, `dsl`, `eager_wf_start`, \
`encryption`, `env_config`, `message_passing` (5), `patching` (4 versions), `polling` (3), `prometheus`, `pydantic_converter`, \
`resource_pool`, `sleep_for_days`, `updatable_timer`, `worker_multiprocessing`, `worker_specific_task_queues` | yes |
| `activity_worker` | its worker in Python runs; its workflow is in Go, and was not tried |
| `hello_search_attributes` | once `CustomKeywordField` is added, as on the real server |
| `hello_mtls` | not tried: it needs certificates |
| `open_telemetry` | not tried: it needs a collector |
| `replay` | its worker and starter do; its replayer lists by a filter, which is not built |
| `schedules` | no: schedules are not built |
| `hello_standalone_activity` | no: activities without a workflow are not built in the server |
| `worker_versioning` | no: worker deployments are not built |
| `hello_nexus`, `nexus_…` | no: Nexus is not built |
| `external_storage`, `workflow_streams` | no: `converter.ExternalStorage` and `contrib.workflow_streams` are not there |
| `trio_async` | no: trio-asyncio says which loop runs, and workflow code has one of its own in the same thread |
| `gevent_async` | no: gRPC's asyncio API hangs under gevent's patches, also without Outlast |
"""
