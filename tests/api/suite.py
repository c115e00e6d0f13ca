"""What the compatibility page says about the official suite and samples on Outlast's own SDK. Run by hand; figures are of that run."""

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
| worker/test_replayer.py | 18 | 15, 1, 2 |
| worker/test_interceptor.py | 2 | 1, 1, 0 |
| testing | 14 | 14, 0, 0 |
| test_serialization_context.py | 18 | 15, 3, 0 |
| all | 336 | 313, 19, 4 |

| tests that fail | why |
| --- | --- |
| `test_workflow_headers_with_codec` (3) | schedules are not built |
| `test_replayer_multiple_from_client` | list filters are not built |
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
