"""The extractor's view of the company, read once per change of the lists."""

from __future__ import annotations

import threading
from dataclasses import replace

from nlp.ports import Hints, KnownContact, World
from storage import settings, world
from storage.database import Session


class Worlds:
    """Caches the big lists until ``settings.lists_changed`` was called by anyone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version: str | None = None
        self._world = World()

    def of(self, session: Session, person_id: int) -> World:
        """The lists with this person's own corrections (G3)."""
        version = settings.get(session, settings.WORLD_VERSION, "0")
        with self._lock:
            if version != self._version:
                self._world = _load(session)
                self._version = version
            shared = self._world
        return replace(shared, corrections=world.corrections(session, person_id))


def hints(session: Session, person_id: int, platform_text: str) -> Hints:
    return Hints(names=tuple(world.recent_names(session, person_id)), platform_text=platform_text)


def _load(session: Session) -> World:
    lists = world.lists(session)
    return World(
        customers=lists.customers,
        contacts={
            customer: [KnownContact(name=name, role=role) for name, role in people]
            for customer, people in lists.contacts.items()
        },
        products=lists.products,
        competitors=lists.competitors,
        colleagues=lists.colleagues,
    )
