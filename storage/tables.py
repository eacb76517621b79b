"""Every table.  Times are aware UTC; a ``Date`` is a local date of the company's zone.

Rows never leave ``storage``: repositories hand out frozen dataclasses.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage import platform_tables  # noqa: F401 - who asks for the tables gets all of them
from storage.table_base import Base


class PersonRow(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]  # rep manager finance director engineer trainer subscriber admin
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    manager_fixed: Mapped[bool] = mapped_column(default=False)  # set here: the directory leaves it
    team: Mapped[str] = mapped_column(default="")
    region: Mapped[str] = mapped_column(default="")
    wecom_id: Mapped[str | None] = mapped_column(unique=True)
    dingtalk_id: Mapped[str | None] = mapped_column(unique=True)
    channel: Mapped[str] = mapped_column(default="")  # where they wrote last: where to reach them
    conversation: Mapped[str] = mapped_column(default="")
    active: Mapped[bool] = mapped_column(default=True)
    notice_version: Mapped[int] = mapped_column(default=0)  # of the first-use notice they accepted
    created_at: Mapped[datetime]


class CustomerRow(Base):
    __tablename__ = "customer"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)  # F18, such as KH-000123
    name: Mapped[str] = mapped_column(unique=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    region: Mapped[str] = mapped_column(default="")
    industry: Mapped[str] = mapped_column(default="")
    tier: Mapped[str] = mapped_column(default="")
    last_effective_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class ShortNameRow(Base):
    __tablename__ = "customer_short_name"
    __table_args__ = (UniqueConstraint("customer_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    name: Mapped[str]


class ContactRow(Base):
    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("customer_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    name: Mapped[str]
    role: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    decision_maker: Mapped[bool] = mapped_column(default=False)
    left_at: Mapped[datetime | None]
    interaction_id: Mapped[int | None]  # the memo that brought this contact; its undo takes it back
    created_at: Mapped[datetime]


class ProductRow(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    list_price_fen: Mapped[int | None]
    floor_price_fen: Mapped[int | None]


class CompetitorRow(Base):
    __tablename__ = "competitor"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class OpportunityRow(Base):
    __tablename__ = "opportunity"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str]
    stage: Mapped[str]
    stage_since: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")  # open won lost
    amount_fen: Mapped[int | None]
    expected_close: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MediaRow(Base):
    __tablename__ = "media"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str]  # sniffed: audio/amr, image/png, ... or application/octet-stream
    name: Mapped[str] = mapped_column(default="")  # as the person's file was called
    size: Mapped[int]
    created_at: Mapped[datetime]


class MemoRow(Base):
    __tablename__ = "memo"
    id: Mapped[int] = mapped_column(primary_key=True)
    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    channel: Mapped[str]
    conversation: Mapped[str]
    source: Mapped[str]  # voice text
    media_sha: Mapped[str | None] = mapped_column(ForeignKey("media.sha256"))
    said_at: Mapped[datetime]
    duration_ms: Mapped[int | None]
    platform_text: Mapped[str] = mapped_column(default="")
    text: Mapped[str | None]  # None until heard
    transcript: Mapped[dict[str, Any] | None]  # segments, backend, model, compute seconds
    facts: Mapped[dict[str, Any] | None]  # sales.facts.MemoFacts
    state: Mapped[str] = mapped_column(
        default="received"
    )  # received heard drafted failed; joined apart
    reason: Mapped[str] = mapped_column(default="")
    joined_into: Mapped[int | None] = mapped_column(ForeignKey("memo.id"))


class RecordRow(Base):
    """One customer's part of a memo: a draft until its person confirms it."""

    __tablename__ = "memo_record"
    __table_args__ = (UniqueConstraint("memo_id", "ordinal"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    memo_id: Mapped[int] = mapped_column(ForeignKey("memo.id"))
    ordinal: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    version: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(
        default="pending"
    )  # pending asking filed dropped draft; replaced: see handlers/joining.py
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    draft: Mapped[dict[str, Any]]  # sales.drafts.Draft
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime]


class InteractionRow(Base):
    """A line of the customer's file (F13)."""

    __tablename__ = "interaction"
    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("memo_record.id"))
    effect_key: Mapped[str] = mapped_column(unique=True)  # record:<id>:<version>
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]  # memo visit call message
    at: Mapped[datetime]
    summary: Mapped[str]
    text: Mapped[str]
    fields: Mapped[dict[str, Any]]
    withdrawn_at: Mapped[datetime | None]


class ObjectionRow(Base):
    __tablename__ = "objection"
    __table_args__ = (UniqueConstraint("interaction_id", "ordinal"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id"))
    ordinal: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    category: Mapped[str]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")  # open answered withdrawn


class CommitmentRow(Base):
    __tablename__ = "commitment"
    __table_args__ = (
        UniqueConstraint("interaction_id", "ordinal"),
        Index("ix_commitment_open", "person_id", "state", "due"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    interaction_id: Mapped[int] = mapped_column(ForeignKey("interaction.id"))
    ordinal: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    who: Mapped[str]  # us customer
    what: Mapped[str]
    due: Mapped[date | None]
    certainty: Mapped[str] = mapped_column(default="firm")
    conditional: Mapped[bool] = mapped_column(default=False)
    postponed: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default="open")  # open done withdrawn
    done_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class CorrectionRow(Base):
    """What was heard wrongly and what was meant (G3)."""

    __tablename__ = "correction"
    __table_args__ = (UniqueConstraint("person_id", "heard", "meant"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]  # customer contact product
    heard: Mapped[str]
    meant: Mapped[str]
    times: Mapped[int] = mapped_column(default=1)
    at: Mapped[datetime]


class InboxRow(Base):
    """Everything a platform gave us, stored before it was acknowledged."""

    __tablename__ = "inbox"
    __table_args__ = (UniqueConstraint("channel", "event_key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    event_key: Mapped[str]
    kind: Mapped[str]  # voice text photo file action
    user: Mapped[str]  # the platform's user id
    conversation: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="received", index=True)  # received done parked
    reason: Mapped[str] = mapped_column(default="")
    done_at: Mapped[datetime | None]


class OutboxRow(Base):
    """Everything to say, with a unique key per effect."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_conversation", "conversation", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    effect_key: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    conversation: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]  # text markdown card rewrite image file group
    card_id: Mapped[str | None] = mapped_column(ForeignKey("card.id"))
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default="queued", index=True)
    # queued sending sent unknown superseded parked
    attempts: Mapped[int] = mapped_column(default=0)
    platform_id: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class CardRow(Base):
    """A card that some person has in some chat: a view of its subject."""

    __tablename__ = "card"
    __table_args__ = (
        Index("ix_card_subject", "subject_kind", "subject_id"),
        Index("ix_card_nonce", "nonce"),  # a link button of DingTalk brings back nothing else
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    effect_key: Mapped[str] = mapped_column(unique=True)  # memo.confirm:<record>
    kind: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    channel: Mapped[str]
    conversation: Mapped[str]
    nonce: Mapped[str]  # stands in every button; replaced with every redraw
    version: Mapped[int] = mapped_column(default=1)
    handle: Mapped[str] = mapped_column(default="")  # what the platform needs to update it
    payload: Mapped[dict[str, Any]]  # the neutral card, handlers.cards.model.Card
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class JobRow(Base):
    """The embedded queue's rows (DESIGN 5.2); PostgreSQL has procrastinate's own tables."""

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_ready", "lane", "state", "run_at", "id"),
        Index("ix_job_lock", "lock", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  # inbox memo outbox
    ref: Mapped[int]
    lane: Mapped[str]  # tap message speech push
    lock: Mapped[str]
    unique_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="queued")  # queued running done parked
    run_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]


class JobReasonRow(Base):
    """Why a job waits or is parked, where the queue engine has no column for it."""

    __tablename__ = "job_reason"
    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str]
    at: Mapped[datetime]


class JobRunRow(Base):
    """The truth that a scheduled slot ran."""

    __tablename__ = "job_run"
    job: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class AuditRow(Base):
    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None]
    who: Mapped[str]  # a name, or 'cli', 'system'
    action: Mapped[str]
    subject: Mapped[str]  # record:12, customer:3
    old: Mapped[dict[str, Any] | None]
    new: Mapped[dict[str, Any] | None]


class SettingRow(Base):
    __tablename__ = "setting"
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class LinkRow(Base):
    """Short codes: one-time log-in links and the ``/go/`` links of cards."""

    __tablename__ = "link"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str]  # login go
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    target: Mapped[str]  # a path
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ConsoleMessageRow(Base):
    """What the console's panes show: the console's own 'platform', idempotent by effect key."""

    __tablename__ = "console_message"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)  # in:<event key> or out:<effect key>
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    direction: Mapped[str]  # in out
    kind: Mapped[str]  # text voice photo file card
    card_id: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    changed: Mapped[int] = mapped_column(default=0, index=True)  # grows with every change
