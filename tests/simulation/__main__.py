"""Play seeds: `python -m tests.simulation FIRST COUNT`; with one seed its story is told."""

import sys
import time
import traceback

from tests.simulation.world import play, told


def main(first: int, count: int) -> int:
    begun, bad = time.perf_counter(), 0
    for seed in range(first, first + count):
        world = play(seed)
        if world.flaws:
            bad += 1
            print(seed, *world.flaws[:2], sep="\n    ", flush=True)
        if count == 1:
            print(told(world))
            for bug in world.lives.bugs:
                traceback.print_exception(bug)
    print(f"{count} seeds, {bad} bad, {(time.perf_counter() - begun) / count * 1000:.1f} ms each")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
