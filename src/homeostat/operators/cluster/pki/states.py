"""How keys are rotated: the states as a table, the same for authorities, for the token key and for the encryption key.

Between any two neighbours every master can be of either, in any order: who verifies (or decrypts) knows both keys
before anybody signs (or encrypts) with the new one, and as long as anybody may still use the old one. A state is
written into the status before anything of it is done, and left when all masters are made as it says.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

AUTHORITIES, TOKEN_KEY, ENCRYPTION_KEY = "authorities", "tokenKey", "encryptionKey"
KINDS = (AUTHORITIES, TOKEN_KEY, ENCRYPTION_KEY)

PREPARING, TRUSTING, USING, HOLDING = "Preparing", "Trusting", "Using", "Holding"
DROPPING, ABANDONING = "Dropping", "Abandoning"
OLD, NEW = "old", "new"


class State(Struct, frozen=True):
    """One state of a rotation."""

    uses: tuple[str, ...]  # the keys that are known; the first of them signs or encrypts
    forward: str  # the next state; empty: the end
    back: str  # where it goes when the rotation is taken back; empty: it cannot be any more
    meaning: str


AT_REST = State((OLD,), PREPARING, "", "There is one key.")
STATES: Mapping[str, State] = {
    PREPARING: State((OLD,), TRUSTING, ABANDONING, "The new key is made, and nobody knows it yet."),
    TRUSTING: State((OLD, NEW), USING, ABANDONING, "All masters come to accept the new key beside the old one."),
    USING: State((NEW, OLD), HOLDING, TRUSTING, "All masters come to sign or encrypt with the new key."),
    HOLDING: State((NEW, OLD), DROPPING, TRUSTING, "Whoever still rests on the old key is waited for."),
    DROPPING: State((NEW,), "", "", "All masters forget the old key, and then it is removed."),
    ABANDONING: State((OLD,), "", "", "All masters forget the new key, and then it is removed."),
}


def state(name: str) -> State:
    """A state by name; none, or one of another release, is rest."""
    return STATES.get(name, AT_REST)
