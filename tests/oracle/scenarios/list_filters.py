"""The list-filter language, each rule of it: on workflows of the scenario's own namespace."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api import operatorservice, workflowservice
from temporalio.api.filter.v1 import StartTimeFilter, StatusFilter, WorkflowExecutionFilter, WorkflowTypeFilter

from tests.oracle import values as v
from tests.oracle.registry import Difference, scenario
from tests.oracle.scenarios.lists import counted, own_namespace
from tests.oracle.world import World

api = workflowservice.v1
operator = operatorservice.v1
TYPES = {"CX": 1, "CK": 2, "CI": 3, "CD": 4, "CB": 5, "CT": 6, "CL": 7, "My Key": 2}
WORKFLOWS: dict[str, dict[str, Any]] = {
    "a": {
        "CK": "k0",
        "CI": 1,
        "CD": 1.5,
        "CB": True,
        "CT": "2024-01-02T03:04:05.120+02:00",
        "CX": "Hello brave-new Wörld",
        "CL": ["a", "b c"],
    },
    "b": {"CK": "k1", "CI": 2, "CD": 2, "CB": False, "CT": "2024-02-02T03:04:05Z", "CX": "hello again", "CL": ["b"], "My Key": "it's"},
    "c": {"CK": "k0x", "CI": [7], "CX": None},
    "d": {},
}
BEYOND = "on SQL the real server orders by nothing but time, and groups by the status alone"


async def a_few_workflows(w: World) -> None:
    """Four, one after the other; the second is closed."""
    await own_namespace(w)
    await w.call(
        "AddSearchAttributes",
        operator.AddSearchAttributesRequest(namespace=w.namespace, search_attributes=TYPES),  # type: ignore[arg-type]
        record=False,
    )
    for name, attributes in WORKFLOWS.items():
        for _ in range(100):  # the real server takes a second to know its new attributes
            if await w.start(workflow_id=w.name(name), search_attributes=v.search_attributes(**attributes), memo=v.memo(m=1), record=False):
                break
            await asyncio.sleep(0.1)
    await w.terminate(workflow_id=w.name("b"))
    await counted(w, 4)
    await found(w, "ExecutionStatus = 'Terminated'", until=1)


async def found(w: World, query: str, until: int | None = None) -> None:
    """Note whom a filter selects, or why it is refused."""
    request = api.ListWorkflowExecutionsRequest(namespace=w.namespace, query=query)
    for _ in range(100):
        reply = await w.call("ListWorkflowExecutions", request, record=False)
        if until is None or (reply and len(reply.executions) == until):
            break
        await asyncio.sleep(0.1)
    w.note(query, [info.execution.workflow_id for info in reply.executions] if reply else f"{reply.code.name}: {reply.message}")


async def all_found(w: World, queries: str) -> None:
    await a_few_workflows(w)
    for query in filter(None, map(str.strip, queries.splitlines())):
        await found(w, query)


@scenario()
async def keywords(w: World) -> None:
    """Equality, order, prefixes; whoever lacks the attribute is in neither half."""
    await all_found(
        w,
        """
        CK = 'k0'
        CK = "k0"
        `CK` = 'k0'
        `My Key` = 'it''s'
        `My Key` = 'it\\'s'
        `My Key` = "it's"
        CK != 'k0'
        CK <> 'k0'
        NOT CK = 'k0'
        CK IN ('k0', 'k1')
        CK NOT IN ('k0')
        CK STARTS_WITH 'k0'
        CK starts_with 'k'
        CK NOT STARTS_WITH 'k0'
        CK BETWEEN 'k0' AND 'k0x'
        CK NOT BETWEEN 'k0' AND 'k0x'
        CK < 'k1'
        CK >= 'k0x'
        CK IS NULL
        CK is not null
        WorkflowType = 'wt' AND TaskQueue != 'nope'
        RunId = 'nope'
        WorkflowType STARTS_WITH 'w'
        """,
    )


@scenario(Difference("* CL = 'B'.value*", "the real server on SQLite compares the words of lists without case, on other stores with it"))
async def lists_and_texts(w: World) -> None:
    """A list has a keyword, a text a word; whoever lacks the attribute has none."""
    await all_found(
        w,
        """
        CL = 'a'
        CL = 'b c'
        CL = 'b'
        CL = 'B'
        CL != 'a'
        NOT CL = 'a'
        CL IN ('a', 'b')
        CL NOT IN ('a', 'b')
        CL IS NULL
        CL IS NOT NULL
        CX = 'hello'
        CX = 'HELLO nothing'
        CX = 'brave'
        CX = 'world'
        CX = 'hell'
        CX = '...'
        CX != 'hello'
        CX != 'again'
        CX IS NULL
        """,
    )


@scenario()
async def numbers_and_truths(w: World) -> None:
    await all_found(
        w,
        """
        CI = 1
        CI = 1.0
        CI = 1.5
        CI > 1.5
        CI = -1
        CI = +1
        CI > - 1
        CI IN (1, 7)
        CI NOT IN (1, 7)
        CI BETWEEN 1 AND 2
        CI NOT BETWEEN 1 AND 1
        CI != 1
        CI IS NULL
        CI < 99999999999999999999
        CI <= 9223372036854775807
        CI < 1e2
        CD = 2
        CD = 1.5
        CD > .5
        CD < 2.
        CB = true
        CB = FALSE
        CB != true
        CB IN (true)
        CB < true
        CB IS NULL
        """,
    )


@scenario()
async def moments(w: World) -> None:
    """With any offset, or in nanoseconds."""
    await all_found(
        w,
        """
        CT > '2024-01-02T00:00:00Z'
        CT > '2024-01-02T03:00:00+02:00'
        CT < '2024-01-02T01:04:05.5Z'
        CT > '2024-01-02T00:00:00,5Z'
        CT > 1704164645123456789
        CT BETWEEN '2024-01-01T00:00:00Z' AND '2024-03-01T00:00:00Z'
        CT NOT BETWEEN '2024-01-01T00:00:00Z' AND '2024-01-31T00:00:00Z'
        CT IS NULL
        StartTime > '2020-01-01T00:00:00Z'
        StartTime <= '2020-01-01T00:00:00Z'
        ExecutionTime > 0
        CloseTime IS NULL
        CloseTime IS NOT NULL
        CloseTime > '2020-01-01T00:00:00Z'
        CloseTime != '2024-01-01T00:00:00Z'
        NOT CloseTime > '2020-01-01T00:00:00Z'
        CloseTime NOT BETWEEN '2024-01-01T00:00:00Z' AND '2025-01-01T00:00:00Z'
        """,
    )


@scenario()
async def of_the_run(w: World) -> None:
    """Its status, and what it has once it is closed."""
    await all_found(
        w,
        """
        ExecutionStatus = 'Running'
        ExecutionStatus = 1
        ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_RUNNING'
        ExecutionStatus = 'Unspecified'
        ExecutionStatus != 'Running'
        ExecutionStatus IN ('Running', 'Terminated')
        ExecutionStatus > 'Running'
        ExecutionStatus BETWEEN 'Completed' AND 'Terminated'
        ExecutionStatus IS NULL
        ExecutionDuration < '1d'
        ExecutionDuration < '1h30m'
        ExecutionDuration < '01:00:00'
        ExecutionDuration < 100000000000000
        ExecutionDuration > '1h'
        ExecutionDuration IS NULL
        HistoryLength > 0
        HistoryLength IS NULL
        StateTransitionCount IS NULL
        ParentWorkflowId IS NULL
        """,
    )


@scenario()
async def junctions(w: World) -> None:
    """AND before OR, parentheses, NOT, comments, and the other ways to write them."""
    await all_found(
        w,
        """
        CK = 'k0' AND CI = 1 OR CI = 2
        CI = 2 OR CK = 'k0' AND CI = 3
        (CI = 2 OR CK = 'k0') AND CI = 1
        ((CK = 'k0'))
        NOT (CK = 'k0' OR CI = 2)
        NOT NOT CK = 'k0'
        NOT CK = 'k0' AND CI = 7
        CK = 'k0' && CI = 1
        CK = 'k0' || CI = 2
        CK = 'k0' -- comment
        CK = /* comment */ 'k0'
        CK = 'k0';
        CK = 'k0' HAVING CI = 1
        CK = 'k0' GROUP BY ExecutionStatus
        GROUP BY ExecutionStatus
        """,
    )


@scenario()
async def names(w: World) -> None:
    """A namespace's own attributes come first; "Temporal" may be left out or put before."""
    await all_found(
        w,
        """
        ScheduleId = 'nope'
        TemporalScheduleId = 'nope'
        TemporalWorkflowType = 'wt'
        NamespaceDivision IS NULL
        TemporalNamespaceDivision IS NULL
        TemporalNamespaceDivision IS NOT NULL
        TemporalNamespaceDivision = 'TemporalScheduler'
        PauseInfo IS NULL
        SchedulePaused = true
        ChangeVersion = 'a'
        BuildIds IS NULL
        BatcherUser IS NULL
        WorkerDeployment IS NULL
        Text03 = 'a'
        ck = 'k0'
        Nope = 1
        WorkflowID = 'a'
        NamespaceId = 'x'
        Memo = 'x'
        VisibilityTaskKey = 'x'
        a.CK = 'k0'
        """,
    )


@scenario()
async def wrong_values(w: World) -> None:
    await all_found(
        w,
        """
        CI = '1'
        CI IN (1, 'a')
        CI = true
        CI = 0x10
        CI = 1e400
        CD = 'x'
        CB = 1
        CB = 'true'
        CK = 5
        CK = true
        CK = x'41'
        CK STARTS_WITH 5
        CL = 5
        CX = 5
        CX = ''
        WorkflowId = 5
        CT = '2024-01-02'
        CT = '2024-01-02 03:04:05'
        CT = '2024-02-30T00:00:00Z'
        CT = '2024-02-03T24:00:00Z'
        CT = '2024-01-02T03:04:05z'
        CT = 'now'
        CT = 1.5
        CT = true
        ExecutionStatus = 'running'
        ExecutionStatus = 99
        ExecutionStatus = 1.0
        ExecutionStatus = true
        ExecutionStatus STARTS_WITH 'Run'
        ExecutionStatus STARTS_WITH 'Running'
        ExecutionDuration < 'abc'
        ExecutionDuration < 1.5
        ExecutionDuration < true
        CK = NULL
        CK = k0
        CK IN (k0)
        CK = CK
        CK = lower('a')
        CK = ?
        CK = :a
        CK IN ::a
        CK = ('k0')
        CK IN ('k0', ('k1'))
        CI = 1 + 1
        """,
    )


@scenario()
async def wrong_operators(w: World) -> None:
    await all_found(
        w,
        """
        CK LIKE 'k'
        CK NOT LIKE 'k'
        CK REGEXP 'k'
        CK RLIKE 'k'
        CK <=> 'k'
        CI LIKE 1
        CI STARTS_WITH 1
        CX STARTS_WITH 'k'
        CX IN ('hello')
        CX < 'hello'
        CX BETWEEN 'a' AND 'z'
        CL STARTS_WITH 'k'
        CL < 'a'
        CL BETWEEN 'a' AND 'b'
        CB BETWEEN false AND true
        CK IS TRUE
        CK IS NOT FALSE
        """,
    )


@scenario()
async def what_is_no_condition(w: World) -> None:
    await all_found(
        w,
        """
        Nope
        CK
        'a'
        1
        true
        NOT true
        "CK" = 'k0'
        'a' = CK
        1 = 1
        (CK) = 'k0'
        CI + 1 = 2
        - CI = 2
        ! CK = 'k0'
        BINARY CK = 'k0'
        CK COLLATE utf8 = 'k0'
        CK -> '$.a' = 1
        lower(CK) = 'a'
        lower(CK)
        CK && CI
        CK = 'k0' LIMIT 1
        CK = 'k0' ORDER BY StartTime LIMIT 5
        ORDER BY Nope
        ORDER BY CX
        order by 1
        GROUP BY ExecutionStatus, CK
        GROUP BY 'a'
        GROUP BY Nope
        """,
    )


@scenario()
async def malformed(w: World) -> None:
    """Where a filter breaks off, and at which word."""
    await all_found(
        w,
        """
        CK =
        = 'a'
        foo bar
        CK IN ()
        CK IN 'k0'
        CI = --1
        CK = 'k0' AND
        CK = 'k0' AND AND CI = 1
        CK == 'k0'
        CK = 'k0
        CK = "k0
        `CK = 'k0'
        (CK = 'k0'
        CK = 'k0')
        CK = 'k0'; drop table x
        CK = 'k0' INTERVAL 1
        CK = 'k0' HAVING
        where CK = 'k0'
        order by
        group by
        group
        LIMIT 1
        IS NULL
        CK IS
        CK IS NOT
        CK BETWEEN 'a'
        CK NOT 'a'
        Key = 'x'
        Order = 'x'
        CI = 1a
        ü = 'a'
        CK = 'ü' § b
        CK = 'ü' 'a'
        """,
    )


@scenario(
    Difference("* CountWorkflowExecutions.error*", BEYOND),
    Difference("* CountWorkflowExecutions.reply*", BEYOND),
    Difference("* *ORDER BY*.value*", BEYOND),
    Difference("* GROUP BY*.value*", BEYOND),
)
async def beyond_sql(w: World) -> None:
    """Ordered by, and grouped by, any attribute."""
    await a_few_workflows(w)
    for query in ("ORDER BY CK", "CI > 0 ORDER BY CI DESC, StartTime", "ORDER BY CloseTime", "GROUP BY CK"):
        await found(w, query)
    for query in ("GROUP BY WorkflowType", "CI > 0 GROUP BY CK", "GROUP BY CB"):
        await w.call("CountWorkflowExecutions", api.CountWorkflowExecutionsRequest(namespace=w.namespace, query=query))


@scenario()
async def counts(w: World) -> None:
    """Of what a filter selects, and by status."""
    await a_few_workflows(w)
    for query in (
        *(
            "CK = 'k0'",
            "CK IS NOT NULL GROUP BY ExecutionStatus",
            "GROUP BY ExecutionStatus",
            "WorkflowId = 'nope' GROUP BY ExecutionStatus",
        ),
        *("GROUP BY TemporalNamespaceDivision", "ORDER BY CK", "CK = 'k0' LIMIT 1", "CK =", "Nope = 1"),
    ):
        await w.call("CountWorkflowExecutions", api.CountWorkflowExecutionsRequest(namespace=w.namespace, query=query))


@scenario()
async def a_scan(w: World) -> None:
    await a_few_workflows(w)
    for query in ("CK = 'k0'", "CK =", ""):
        request = api.ScanWorkflowExecutionsRequest(namespace=w.namespace, query=query)
        reply = await w.call("ScanWorkflowExecutions", request, record=not reply_is_long(query))
        w.note(query, [info.execution.workflow_id for info in reply.executions] if reply else "refused")
    for w.namespace in ("", "nope-ns"):
        await w.call("ScanWorkflowExecutions", api.ScanWorkflowExecutionsRequest(namespace=w.namespace))


def reply_is_long(query: str) -> bool:
    return not query


@scenario()
async def shown(w: World) -> None:
    """What a list shows of the search attributes: each with its type, in one form; not those that are hidden."""
    await a_few_workflows(w)
    for name in ("a", "b", "c"):
        request = api.ListWorkflowExecutionsRequest(namespace=w.namespace, query=f"WorkflowId = '{w.name(name)}'")
        reply = await w.call("ListWorkflowExecutions", request, record=False)
        fields = reply.executions[0].search_attributes.indexed_fields
        w.note(name, {key: [payload.data.decode(), payload.metadata["type"].decode()] for key, payload in sorted(fields.items())})
        w.note("memo", reply.executions[0].memo)
    hidden = v.search_attributes(TemporalNamespaceDivision="Hidden")
    await w.start(workflow_id=w.name("hidden"), search_attributes=hidden)
    await found(w, "TemporalNamespaceDivision = 'Hidden'", until=1)
    await found(w, "")
    await found(w, "TemporalNamespaceDivision IS NULL AND CK IS NULL")


@scenario()
async def removed(w: World) -> None:
    """A search attribute that is removed is shown no more, and unknown to filters."""
    await a_few_workflows(w)
    request = operator.RemoveSearchAttributesRequest(namespace=w.namespace, search_attributes=["CK", "CL"])
    await w.call("RemoveSearchAttributes", request)
    listing = api.ListWorkflowExecutionsRequest(namespace=w.namespace, query="CI = 1")
    fields: set[str] = set()
    for _ in range(100):
        reply = await w.call("ListWorkflowExecutions", listing, record=False)
        fields = set(reply.executions[0].search_attributes.indexed_fields) if reply and reply.executions else set()
        if fields and "CK" not in fields:
            break
        await asyncio.sleep(0.1)
    w.note("listed", sorted(fields))
    await found(w, "CK = 'k0'")
    described = await w.describe(workflow_id=w.name("a"), record=False)
    w.note("described", sorted(described.workflow_execution_info.search_attributes.indexed_fields))


@scenario()
async def open_and_closed(w: World) -> None:
    """The older lists, with their filters."""
    await a_few_workflows(w)
    ever = StartTimeFilter(earliest_time={"seconds": 1}, latest_time={"seconds": 4_000_000_000})
    never = StartTimeFilter(earliest_time={"seconds": 1}, latest_time={"seconds": 2})
    backwards = StartTimeFilter(earliest_time={"seconds": 2}, latest_time={"seconds": 1})
    of_a, of_b = (WorkflowExecutionFilter(workflow_id=w.name(name), run_id="ignored") for name in "ab")
    chosen: list[dict[str, Any]] = [
        {},
        {"execution_filter": of_a},
        {"execution_filter": of_b},
        {"execution_filter": WorkflowExecutionFilter()},
    ]
    chosen += [{"type_filter": WorkflowTypeFilter(name=name)} for name in ("wt", "nope", "")]
    statuses: list[dict[str, Any]] = [{"status_filter": StatusFilter(status=number)} for number in (0, 1, 2, 5, 77)]  # type: ignore[arg-type]
    kinds = (("ListOpenWorkflowExecutions", chosen), ("ListClosedWorkflowExecutions", chosen + statuses))
    for method, filters in kinds:
        request = getattr(api, f"{method}Request")
        for times in ({}, {"start_time_filter": ever}, {"start_time_filter": never}, {"start_time_filter": backwards}):
            await listed(w, method, request(namespace=w.namespace, **times))
        for each in filters:
            await listed(w, method, request(namespace=w.namespace, start_time_filter=ever, **each))
        for size in (-1, 1, 1001):
            await listed(w, method, request(namespace=w.namespace, maximum_page_size=size))
        for namespace in ("", "nope-ns"):
            await listed(w, method, request(namespace=namespace))


async def listed(w: World, method: str, request: Any) -> None:
    reply = await w.call(method, request, record=False)
    names = [info.execution.workflow_id for info in reply.executions] if reply else f"{reply.code.name}: {reply.message}"
    w.note(method, [names, bool(reply and reply.next_page_token)])


@scenario()
async def archived(w: World) -> None:
    for namespace in ("default", ""):
        await w.call("ListArchivedWorkflowExecutions", api.ListArchivedWorkflowExecutionsRequest(namespace=namespace))


@scenario()
async def search_attributes_of_all(w: World) -> None:
    await w.call("GetSearchAttributes", api.GetSearchAttributesRequest())
