"""A script as a tree: lists of commands, conditions and loops. Pure."""

from __future__ import annotations

from collections.abc import Collection

from homeostat.sim.world.programs.shell.tree import Choice, Command, Join, Loop, Script, Simple, Step, Word
from homeostat.sim.world.programs.shell.words import Token, Unknown, tokens

_KEYWORDS = frozenset({"if", "then", "elif", "else", "fi", "while", "until", "do", "done"})


def read(text: str, known: Collection[str]) -> Script:
    """The tree of a script that is made of known commands alone. Raises Unknown."""
    return _Reader(list(tokens(text, lambda inner: read(inner, known))), known).whole()


class _Reader:
    def __init__(self, given: list[Token], known: Collection[str]) -> None:
        self._tokens = given
        self._known = known
        self._at = 0

    def whole(self) -> Script:
        script = self._script(())
        if self._at < len(self._tokens):
            raise Unknown(self._tokens[self._at].plain)
        return script

    def _script(self, ends: Collection[str]) -> Script:
        """Up to one of the keywords that end it, or to the end of all."""
        steps: list[Step] = []
        join: Join = ";"
        self._skip_lines()
        while self._at < len(self._tokens) and self._next.plain not in ends:
            is_negated = self._take("!")
            steps.append(Step(join, self._command(), is_negated))
            sign = self._next.sign if self._at < len(self._tokens) else ";"
            if sign not in ("&&", "||", ";", "\n"):
                raise Unknown(sign or self._next.plain)
            self._at += 1
            join = "&&" if sign == "&&" else "||" if sign == "||" else ";"
            self._skip_lines()
        if join != ";":
            raise Unknown(join)
        return tuple(steps)

    def _command(self) -> Command:
        keyword = self._next.plain if self._at < len(self._tokens) else ""
        if keyword == "if":
            return self._choice()
        if keyword in ("while", "until"):
            self._at += 1
            condition = self._block("do")
            return Loop(condition, self._block("done"), until=keyword == "until")
        return self._simple()

    def _choice(self) -> Choice:
        branches = []
        while self._take("if") or self._take("elif"):
            condition = self._block("then")
            branches.append((condition, self._script(("elif", "else", "fi"))))
        otherwise = self._script(("fi",)) if self._take("else") else None
        self._expect("fi")
        return Choice(tuple(branches), otherwise)

    def _block(self, end: str) -> Script:
        script = self._script((end,))
        self._expect(end)
        return script

    def _simple(self) -> Simple:
        words: list[Word] = []
        target: Word | None = None
        adds = False
        while self._at < len(self._tokens):
            token = self._next
            if token.sign in (">", ">>"):
                self._at += 1
                if self._at == len(self._tokens) or self._next.sign:
                    raise Unknown(token.sign)
                target, adds = self._next.word, token.sign == ">>"
            elif token.sign:
                break
            else:
                words.append(token.word)
            self._at += 1
        name = Token(words[0]).plain if words else ""
        if name in _KEYWORDS or name.rpartition("/")[2] not in self._known:
            raise Unknown(name)
        return Simple(tuple(words), target, adds)

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, keyword: str) -> bool:
        is_next = self._at < len(self._tokens) and self._next.plain == keyword
        self._at += is_next
        return is_next

    def _expect(self, keyword: str) -> None:
        if not self._take(keyword):
            raise Unknown(keyword)

    def _skip_lines(self) -> None:
        while self._at < len(self._tokens) and self._next.sign in ("\n", ";"):
            self._at += 1
