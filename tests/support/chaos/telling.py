"""A schedule as a test that can be pasted into tests/sim/chaos."""

from __future__ import annotations

from tests.support.chaos.event import Broken, Schedule


def as_test(schedule: Schedule, seed: int, broken: Broken) -> str:
    """It names what broke, and fails until that is mended."""
    lines = "\n".join(f"            {event!r}," for event in schedule)
    return f'''
def test_{broken.invariant}_under_schedule_{seed}() -> None:
    """{broken.why.splitlines()[0][:90]}."""
    live(
        [
{lines}
        ],
        seed={seed},
    )
'''
