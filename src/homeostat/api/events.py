"""Events, in their events.k8s.io/v1 form: the story that `describe` tells."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from homeostat.api.kind import Kind, Resource
from homeostat.api.meta import ObjectMeta


class ObjectReference(Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What an Event is about."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    field_path: str = ""


class EventSeries(Struct, frozen=True, gc=False, rename="camel"):
    """How often the same happened, and when last."""

    count: int
    last_observed_time: datetime


class EventSource(Struct, frozen=True, gc=False):
    """Who told, in Events made through the old core/v1 API."""

    component: str = ""
    host: str = ""


class Event(Struct, frozen=True, gc=False, rename="camel"):
    """An Event. Those made through core/v1 fill the deprecated fields instead of eventTime and series."""

    metadata: ObjectMeta
    type: str = ""
    reason: str = ""
    note: str = ""
    action: str = ""
    event_time: datetime | None = None
    regarding: ObjectReference = ObjectReference()
    reporting_controller: str = ""
    reporting_instance: str = ""
    series: EventSeries | None = None
    deprecated_count: int = 0
    deprecated_first_timestamp: datetime | None = None
    deprecated_last_timestamp: datetime | None = None
    deprecated_source: EventSource = EventSource()

    @property
    def count(self) -> int:
        """How often it happened."""
        return self.series.count if self.series else max(self.deprecated_count, 1)

    @property
    def first_seen(self) -> datetime | None:
        """When it happened first."""
        return self.event_time or self.deprecated_first_timestamp or self.metadata.creation_timestamp

    @property
    def last_seen(self) -> datetime | None:
        """When it happened last."""
        return self.series.last_observed_time if self.series else self.deprecated_last_timestamp or self.first_seen


EVENT = Kind(Resource("events.k8s.io", "v1", "Event", "events"), Event)
