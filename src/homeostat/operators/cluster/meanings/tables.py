"""Every condition, reason and event of a Cluster, with its meaning and remedy; the reference page is made from this."""

from __future__ import annotations

from homeostat.operators.cluster.meanings import foundations, masters, moves, serving
from homeostat.operators.cluster.meanings.events import EVENTS

TABLES = (*foundations.TABLES, *masters.TABLES, *moves.TABLES, *serving.TABLES, EVENTS)
