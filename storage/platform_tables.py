"""What the channels to the platforms must remember across processes and restarts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.table_base import Base


class PlatformTokenRow(Base):
    """An access token, shared by all processes.  One of them fetches, the others wait for it."""

    __tablename__ = "platform_token"
    app: Mapped[str] = mapped_column(primary_key=True)  # wecom:<corp>:<agent>, dingtalk:<client>
    token: Mapped[str] = mapped_column(default="")
    got_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    fetching_until: Mapped[datetime | None]  # lease of the process that fetches
    stopped: Mapped[str] = mapped_column(default="")  # why nobody may fetch until the admin acts


class CardHandleRow(Base):
    """A code that the platform gave for one later change of a card."""

    __tablename__ = "card_handle"
    __table_args__ = (Index("ix_card_handle_free", "card_id", "used_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    card_id: Mapped[str] = mapped_column(ForeignKey("card.id"))
    code: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str]  # send tap
    got_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_for: Mapped[str] = mapped_column(default="")  # the effect that it was spent on


class CallbackAttemptRow(Base):
    """Who called our callback and what became of it; no content, the last ones only."""

    __tablename__ = "callback_attempt"
    __table_args__ = (Index("ix_callback_attempt_channel", "channel", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    at: Mapped[datetime]
    remote: Mapped[str]
    outcome: Mapped[str]  # accepted repeat ignored verified refused
    reason: Mapped[str] = mapped_column(default="")


class SendWindowRow(Base):
    """How much was sent to somebody, or by an app, in one span of time."""

    __tablename__ = "send_window"
    scope: Mapped[str] = mapped_column(primary_key=True)  # wecom:member:<user>:minute
    window: Mapped[str] = mapped_column(primary_key=True)  # 2026-11-25T08:14
    count: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime] = mapped_column(index=True)  # may be deleted afterwards


class ChannelStateRow(Base):
    """What is wrong with a channel now, for doctor and the set-up page; '' when nothing is."""

    __tablename__ = "channel_state"
    channel: Mapped[str] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)  # token ip permission connection quota
    problem: Mapped[str] = mapped_column(default="")  # a code, such as untrusted_ip
    detail: Mapped[dict[str, Any]]  # what the words need, such as {"ip": "..."}
    since: Mapped[datetime]


class LeaseRow(Base):
    """Held by one process at a time, such as the only long connection of a bot."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class PlatformUploadRow(Base):
    """A file that the platform holds already, until its id expires."""

    __tablename__ = "platform_upload"
    app: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # image voice video file
    media_id: Mapped[str]
    expires_at: Mapped[datetime]


class DirectoryMemberRow(Base):
    """A member as the platform's directory says; ``person`` is who that is here."""

    __tablename__ = "directory_member"
    __table_args__ = (UniqueConstraint("channel", "user_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    user_id: Mapped[str]  # as the key: lower case on WeCom
    shown_id: Mapped[str]  # as the platform spells it
    name: Mapped[str]
    manager_user_id: Mapped[str] = mapped_column(default="")
    departments: Mapped[list[Any]]
    position: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    seen_at: Mapped[datetime]
