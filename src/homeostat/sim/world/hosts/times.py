"""How long things take in a data centre: spans from which a moment is drawn.

The figures are guesses of the right size, by what containerd and kubelets take in the real data centre of
`homeostat.local`, and hosts in clouds: most values lie near the middle one, few near the ends.
"""

from __future__ import annotations

from math import sqrt

from msgspec import Struct

from homeostat.kit.random import Random


class Span(Struct, frozen=True):
    """At least, mostly, at most: a triangle over seconds."""

    least: float
    mostly: float
    most: float

    def draw(self, random: Random) -> float:
        """One time of this span."""
        width = self.most - self.least
        if width <= 0:
            return self.least
        chance = random.random()
        if chance < (self.mostly - self.least) / width:
            return self.least + sqrt(chance * width * (self.mostly - self.least))
        return self.most - sqrt((1 - chance) * width * (self.most - self.mostly))


def exactly(seconds: float) -> Span:
    """A time that does not vary: for tests, and for what a configuration fixes."""
    return Span(seconds, seconds, seconds)


class Times(Struct, frozen=True, kw_only=True):
    """How long everything takes."""

    pull: Span = Span(1, 4, 30)  # of an image that is not on the host
    sandbox: Span = Span(0.2, 0.4, 1.5)  # the network of a Pod
    start: Span = Span(0.1, 0.2, 0.8)  # of a container whose image is there
    retry: Span = Span(10, 12, 15)  # until a kubelet tries again what failed
    relist: Span = Span(0.1, 0.6, 1.1)  # until a kubelet sees that a container ended
    refresh: Span = Span(1, 45, 90)  # until a change of a Secret or ConfigMap is in the files of a Pod
    boot: Span = Span(20, 40, 120)  # from power to a kubelet
    shutdown: Span = Span(2, 5, 20)  # of an orderly end


AT_ONCE = Times(
    pull=exactly(0),
    sandbox=exactly(0),
    start=exactly(0),
    retry=exactly(10),
    relist=exactly(0),
    refresh=exactly(0),
    boot=exactly(0),
    shutdown=exactly(0),
)
