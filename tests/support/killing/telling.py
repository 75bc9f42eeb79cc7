"""Whether a disturbed course ended as the undisturbed one, and what is said when it did not."""

from __future__ import annotations

from typing import Any

from tests.support.killing.course import Course
from tests.support.killing.splitting import Ended


def assert_alike(cut: Course, undisturbed: Course, where: str) -> None:
    """Nobody can tell that anything went wrong."""
    assert names(cut) == names(undisturbed), where
    has_two = cut.fault is not None and cut.fault.kind == "overlap"
    for one, other in zip(cut.final, undisturbed.final, strict=True):
        # Of two that lead, one may look at what is older, and declare that once more.
        assert (_without_generations(one) == _without_generations(other)) if has_two else (one == other), where
    assert cut.started == undisturbed.started, f"{where}: Pods were started more or less often"
    assert cut.membership == undisturbed.membership, f"{where}: members of etcd came and went otherwise"


def difference(end: Ended[Course], undisturbed: Course, where: str) -> str:
    """What the disturbance has changed, with what is needed to see it again; empty: nothing."""
    if end.result is None:
        return f"{where}: {end.why}"
    try:
        assert_alike(end.result, undisturbed, where)
    except AssertionError as error:  # a sweep goes on, and tells all
        return str(error)
    return ""


def names(course: Course) -> list[str]:
    """Of all that is there in the end."""
    return [str(each["metadata"]["name"]) for each in course.final]


def _without_generations(obj: Any) -> Any:
    if isinstance(obj, dict):
        found = ("generation", "observedGeneration")
        return {key: _without_generations(value) for key, value in obj.items() if key not in found}
    return [_without_generations(each) for each in obj] if isinstance(obj, list) else obj
