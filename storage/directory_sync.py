"""People from a platform's directory.

A person keeps the id: whoever is known by their platform id is changed, never added again.  What
was set here stays: a role, and the manager of a person with ``manager_fixed``.

Somebody who is on two platforms is one person once an admin says so.  The platform that told of
them first then leads: its word for name, team and manager holds, the other fills what is empty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from storage import audit, settings
from storage.directory import (
    PLATFORM_ID,
    Applied,
    Department,
    Member,
    Status,
    lock,
    remember,
)
from storage.people import key_of
from storage.platform_tables import DirectoryMemberRow
from storage.tables import PersonRow

# Nobody gets these by having the right name: the admin says who it is.
_NOT_BY_NAME: Final = ("admin", "director")


def apply(
    session: Session,
    channel: str,
    members: Sequence[Member],
    *,
    now: datetime,
    whole: bool = True,
    facts: Mapping[str, Any] | None = None,
    same_names: bool = False,
) -> Applied:
    """Take over what the directory says.

    *whole*: these are all members there are.  Who is missing in two of those in a row has left;
    once is not enough, since an answer may lack somebody.  *same_names*: the admin says that
    whoever has the name of somebody on the other platform is that person.
    """
    before = lock(session, channel)
    sync = _Sync(session, channel, now, members, same_names=same_names)
    for member in members:
        sync.take(member)
    if whole and before.whole_at is not None:
        sync.take_leave({one.user_id for one in members}, before.whole_at)
    sync.link_managers(members)
    applied = sync.done(len(members))
    remember(
        session,
        channel,
        Status(
            at=now,
            whole_at=now if whole else before.whole_at,
            applied=applied if whole else before.applied,
            facts=facts or before.facts,
        ),
    )
    return applied


class _Sync:
    """One sync in one transaction."""

    def __init__(
        self,
        session: Session,
        channel: str,
        now: datetime,
        members: Sequence[Member],
        *,
        same_names: bool,
    ) -> None:
        self._session, self._channel, self._now = session, channel, now
        self._same_names = same_names
        self._attribute = PLATFORM_ID[channel]
        self._other_ids = [name for name in PLATFORM_ID.values() if name != self._attribute]
        self._rows = {
            row.user_id: row
            for row in session.scalars(
                sa.select(DirectoryMemberRow).where(DirectoryMemberRow.channel == channel)
            )
        }
        self._people = {row.id: row for row in session.scalars(sa.select(PersonRow))}
        self._by_user = {
            key_of(channel, user): row
            for row in self._people.values()
            if (user := getattr(row, self._attribute))
        }
        # Only grows: two people may swap names, and each row is written by itself.
        self._names = {row.name for row in self._people.values()}
        self._led_before = {row.manager_user_id for row in self._rows.values()}
        self._count: Counter[str] = Counter()
        self._held: list[str] = []
        told = {row.user_id: row.name for row in self._rows.values()}
        told |= {member.user_id: member.name for member in members}
        self._told_names = Counter(told.values())
        self._changes: dict[int, dict[str, tuple[Any, Any]]] = {}
        self._new: set[int] = set()
        # What the other platforms say: who is at work there, who is led by whom, since when.
        self._there: dict[int, DirectoryMemberRow] = {
            row.person_id: row
            for row in session.scalars(
                sa.select(DirectoryMemberRow)
                .where(DirectoryMemberRow.channel != channel, DirectoryMemberRow.active)
                .order_by(DirectoryMemberRow.id.desc())
            )
            if row.person_id is not None
        }

    def take(self, member: Member) -> None:
        row = self._rows.get(member.user_id)
        told = _Told.of(row, self._led_before)
        if row is None:
            row = DirectoryMemberRow(
                channel=self._channel, user_id=member.user_id, name="", departments=[]
            )
            self._session.add(row)
            self._rows[member.user_id] = row
        row.shown_id, row.name, row.position = member.shown_id, member.name, member.position
        row.manager_user_id = next(iter(member.managers), "")
        row.departments = [asdict(one) for one in member.departments]
        row.active, row.seen_at = member.active, self._now
        person = self._person_of(row, member)
        if person is None:
            return
        row.person_id = person.id
        self._by_user[member.user_id] = person
        self._set(person, self._attribute, member.user_id)
        if person.id not in self._new:
            self._follow(person, member, told)

    def take_leave(self, seen: set[str], whole_before: datetime) -> None:
        """Who was in neither of the last two whole syncs is no member any more."""
        for row in self._rows.values():
            if row.active and row.user_id not in seen and row.seen_at < whole_before:
                row.active = False
                if row.person_id is not None:
                    self._leave(self._people[row.person_id])

    def link_managers(self, members: Iterable[Member]) -> None:
        """The first candidate who is active here and not below; none leaves what our table says."""
        for member in members:
            person = self._by_user.get(member.user_id)
            if person is None or person.manager_fixed:
                continue
            leading = self._leading(person.id, member.user_id)
            if leading is not None and leading.manager_user_id and person.manager_id is not None:
                continue
            for candidate in member.managers:
                boss = self._by_user.get(candidate)
                if boss is not None and boss.active and not self._is_above(person.id, boss.id):
                    self._set(person, "manager_id", boss.id)
                    break

    def done(self, members: int) -> Applied:
        self._session.flush()
        for person_id, changes in self._changes.items():
            if person_id not in self._new:
                self._count["updated"] += 1
            audit.note(
                self._session,
                at=self._now,
                who="directory",
                action="user.sync",
                subject=f"person:{person_id}",
                old=None
                if person_id in self._new
                else {key: old for key, (old, _) in changes.items()},
                new={key: new for key, (_, new) in changes.items()},
            )
        if self._changes:
            settings.lists_changed(self._session)
        self._session.flush()
        return Applied(
            members=members,
            added=self._count["added"],
            updated=self._count["updated"],
            left=self._count["left"],
            back=self._count["back"],
            held=tuple(dict.fromkeys(self._held)),
        )

    def _person_of(self, row: DirectoryMemberRow, member: Member) -> PersonRow | None:
        """Who that is here; a new person for an active member whom nobody can be."""
        if row.person_id is not None:
            return self._people[row.person_id]
        if (found := self._by_user.get(member.user_id)) is not None:
            return found
        if not member.active:
            return None
        same = [
            one
            for one in self._people.values()
            if one.name == member.name and one.active and not getattr(one, self._attribute)
        ]
        if same:  # a name is unique among people
            elsewhere = any(getattr(same[0], name) for name in self._other_ids)
            if (
                self._told_names[member.name] == 1
                and same[0].role not in _NOT_BY_NAME
                and (self._same_names or not elsewhere)
            ):
                return same[0]
            self._held.append(member.name)
            return None
        return self._add(member)

    def _add(self, member: Member) -> PersonRow:
        team = _team(member.departments)
        person = PersonRow(
            name=self._free_name(member),
            role="manager" if member.leads else "rep",
            team=team,
            created_at=self._now,
            manager_fixed=False,
            active=True,
        )
        self._session.add(person)
        self._session.flush()
        self._people[person.id] = person
        self._new.add(person.id)
        self._count["added"] += 1
        told = {"name": person.name, "role": person.role, "team": team}
        self._changes[person.id] = {key: (None, value) for key, value in told.items()}
        return person

    def _follow(self, person: PersonRow, member: Member, told: _Told) -> None:
        """What changed in the directory since it was told last."""
        leads_here = self._leading(person.id, member.user_id) is None
        if leads_here and member.name != told.name and not _stands_for(person.name, member.name):
            self._set(person, "name", self._free_name(member))
        team = _team(member.departments)
        if team and (person.team == "" or (leads_here and person.team == told.team)):
            self._set(person, "team", team)
        if told.known and member.leads and not told.leads and person.role == "rep":
            self._set(person, "role", "manager")
        if told.known and member.active != told.active:
            if not member.active:
                self._leave(person)
            elif not person.active:
                self._set(person, "active", True)
                self._count["back"] += 1

    def _leading(self, person_id: int, user_id: str) -> DirectoryMemberRow | None:
        """The other platform's word on somebody, where that platform told of them first."""
        there, here = self._there.get(person_id), self._rows[user_id]
        return there if there is not None and (here.id is None or there.id < here.id) else None

    def _leave(self, person: PersonRow) -> None:
        """Gone from here; somebody who is still on another platform works on."""
        if person.active and person.id not in self._there:
            self._set(person, "active", False)
            self._count["left"] += 1

    def _free_name(self, member: Member) -> str:
        """The member's name, or with the department, or with a number: two 王磊 are told apart."""
        team = _team(member.departments)
        wanted = [member.name, *([f"{member.name}（{team}）"] if team else [])]
        number = 2
        while (name := wanted.pop(0)) in self._names:
            if not wanted:
                wanted, number = [f"{member.name}{number}"], number + 1
        self._names.add(name)
        return name

    def _is_above(self, person_id: int, boss_id: int) -> bool:
        """Whether *person_id* is *boss_id* or leads them, however long the way round."""
        above: int | None = boss_id
        seen: set[int] = set()
        while above is not None and above not in seen:
            if above == person_id:
                return True
            seen.add(above)
            above = self._people[above].manager_id
        return False

    def _set(self, person: PersonRow, name: str, value: Any) -> None:
        old = getattr(person, name)
        if old != value:
            setattr(person, name, value)
            self._changes.setdefault(person.id, {})[name] = (old, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the directory said last."""

    known: bool = False
    name: str = ""
    team: str = ""
    active: bool = True
    leads: bool = False

    @classmethod
    def of(cls, row: DirectoryMemberRow | None, led: set[str]) -> _Told:
        if row is None or row.person_id is None:
            return cls()
        departments = [Department(**one) for one in row.departments]
        return cls(
            known=True,
            name=row.name,
            team=_team(departments),
            active=row.active,
            leads=row.user_id in led or any(one.leader for one in departments),
        )


def _team(departments: Sequence[Department]) -> str:
    return departments[0].name if departments else ""


def _stands_for(shown: str, name: str) -> bool:
    """Whether *shown* is *name*, perhaps with what tells two of that name apart."""
    rest = shown.removeprefix(name)
    return shown.startswith(name) and bool(re.fullmatch(r"(\d+|（.+）)?", rest))
