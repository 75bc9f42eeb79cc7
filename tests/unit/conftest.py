"""How properties are tried here: without deadlines, because a busy machine is no fault of the code, and briefly."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=50)
settings.load_profile("unit")
