"""Whether a disturbed course ended as the undisturbed one, and what is said when it did not."""

from __future__ import annotations

from tests.support.killing.course import Course


def assert_alike(cut: Course, undisturbed: Course, where: str) -> None:
    """Nobody can tell that anything went wrong."""
    assert names(cut) == names(undisturbed), where
    for one, other in zip(cut.final, undisturbed.final, strict=True):
        assert one == other, where
    assert cut.started == undisturbed.started, f"{where}: Pods were started more or less often"
    assert cut.membership == undisturbed.membership, f"{where}: members of etcd came and went otherwise"


def names(course: Course) -> list[str]:
    """Of all that is there in the end."""
    return [str(each["metadata"]["name"]) for each in course.final]
