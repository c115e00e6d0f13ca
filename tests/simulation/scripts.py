"""What the workflows do: a random program for each, small enough to be carried as a workflow's input."""

import json
from random import Random
from typing import Any

from temporalio.api.common.v1 import Payload, Payloads

Script = dict[str, Any]
QUEUE = "work"
TIMER_S = (0.5, 1.0, 3.0, 8.0, 20.0)
ALWAYS_CLOSING = ("complete", "complete", "complete", "fail", "again")


def payloads(value: object) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())])


def value_of(given: Payloads) -> Any:
    return json.loads(given.payloads[0].data) if given.payloads else None


def draw_script(random: Random, token: str, others: list[str], depth: int = 0) -> Script:
    """`others` are workflow ids that it may send messages to."""
    steps = [_step(random, token, others, depth) for _ in range(random.randint(1, 4 - depth))]
    end = random.choice(ALWAYS_CLOSING)
    script: Script = {"token": token, "steps": steps, "end": end, "on_cancel": random.choice(("cancel", "ignore"))}
    if end == "again":
        script["next"] = draw_script(random, token, others, depth + 1) if depth < 2 else {**script, "end": "complete", "steps": []}
    return script


def _step(random: Random, token: str, others: list[str], depth: int) -> list[Any]:
    kinds = ["activity", "activity", "both", "timer", "signals", "race", "tell", "marker"]
    if depth < 2:
        kinds += ["child", "child"]
    match random.choice(kinds):
        case "activity":
            return ["activity", _activity(random)]
        case "both":
            return ["both", _activity(random), random.choice(TIMER_S), _activity(random)]
        case "timer":
            return ["timer", random.choice(TIMER_S)]
        case "signals":
            return ["signals", random.randint(1, 3), random.choice(TIMER_S)]
        case "race":
            return ["race", {**_activity(random), "heartbeat": 4}, random.choice(TIMER_S[:3])]
        case "tell":
            return ["tell", random.choice(others), random.choice(("signal", "signal", "cancel"))]
        case "child":
            child = draw_script(random, token, others, depth + 1)
            return ["child", child, random.randint(1, 3), random.random() < 0.8]
        case _:
            return ["marker"]


def _activity(random: Random) -> dict[str, Any]:
    wanted = {"attempts": random.choice((1, 1, 2, 3, 0)), "close": random.choice((3, 6, 10)), "eager": random.random() < 0.3}
    if random.random() < 0.3:
        wanted["heartbeat"] = 2
    if random.random() < 0.2:
        wanted["total"] = 30
    return wanted
