"""Who uses the bot, and who leads whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROLES: Final = (
    "rep", "manager", "finance", "director", "engineer", "trainer", "subscriber", "admin",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: int
    name: str
    role: str
    manager_id: int | None
    team: str
    region: str
    channel: str = ""  # where they wrote last
    conversation: str = ""
    notice_version: int = 0
    active: bool = True


def may_see(viewer: Person, owner_id: int, chain: tuple[int, ...]) -> bool:
    """A record is for its owner and those above (F49, F159).

    *chain* is the owner's managers, nearest first.  Directors and admins see all.
    """
    return viewer.id == owner_id or viewer.id in chain or viewer.role in ("director", "admin")
