"""What the API says of writes into a namespace that is ending: no error of whoever works there."""

from __future__ import annotations

from homeostat.kube.errors import ApiError


def is_of_ending_namespace(error: BaseException) -> bool:
    """Whether something could not be made because its namespace is ending: whatever it was for goes, too."""
    return isinstance(error, ApiError) and error.reason == "Forbidden" and "being terminated" in error.message
