"""Fresh ids: UUIDs of version 7, never twice, not even across a fork."""

import os
from uuid import UUID

from outlast.server.shard.ids import new_run_id


def test_ids_are_uuids_in_order_of_time() -> None:
    ids = [new_run_id() for _ in range(2000)]

    assert len(set(ids)) == 2000
    assert {(UUID(text).version, UUID(text).variant) for text in ids} == {(7, "specified in RFC 4122")}
    assert [text[:13] for text in ids] == sorted(text[:13] for text in ids)


def test_a_forked_process_draws_other_ids() -> None:
    new_run_id()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_run_id().encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 36).decode()[14:] != new_run_id()[14:]
