"""The dice: what goes wrong, and when; and the story of it, as a trace that two runs of one seed share."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from random import Random

from tests.simulation.settings import FAULTS_S, Settings

STORY_LINES = 4000


class Faults:
    """Nothing goes wrong any more once `healed`."""

    def __init__(self, seed: int, settings: Settings, loop: asyncio.AbstractEventLoop) -> None:
        self._random = Random(f"{seed}/faults")
        self._settings = settings
        self._loop = loop
        self.healed = False
        self._digest = hashlib.blake2b(digest_size=16)
        self.story: deque[str] = deque(maxlen=STORY_LINES)

    def happens(self, name: str) -> bool:
        """Whether this goes wrong now."""
        probability: float = getattr(self._settings, name)
        return bool(probability) and not self.healed and self._random.random() < probability

    def coin(self) -> bool:
        return self._random.random() < 0.5

    def between(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def moment(self) -> float:
        return self._random.uniform(0.0, FAULTS_S)

    def latency(self) -> float:
        return self._random.choice((0.0001, 0.001, 0.02)) if self.happens("latency") else 0.0

    def commit_pause(self) -> float:
        if self.happens("stall"):
            return self._random.choice((0.5, 2.0, 12.0))
        return self.latency()

    def trace(self, line: str) -> None:
        self._digest.update(f"{self._loop.time():.9f} {line}\n".encode())

    def note(self, line: str) -> None:
        self.story.append(f"{self._loop.time():10.4f}  {line}")
        self.trace(line)

    @property
    def hash(self) -> str:
        return self._digest.hexdigest()


def fresh_ids(random: Random, noted: Callable[[str], None]) -> Callable[[], str]:
    """Run ids and request ids that the seed alone decides."""

    def fresh() -> str:
        text = f"{random.getrandbits(128):032x}"
        made = f"{text[:8]}-{text[8:12]}-7{text[13:16]}-8{text[17:20]}-{text[20:]}"
        noted(made)
        return made

    return fresh
