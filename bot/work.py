"""One job, from the row it refers to until its effects are committed.

Runs in a thread.  Each of the three kinds may run twice: the row says whether its work is done, and
every effect has a unique key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import structlog

from bot.channels.base import (
    Channel,
    ChannelAway,
    ChannelError,
    MediaGone,
    OutcomeUnknown,
    Outgoing,
    Sent,
)
from bot.fetching import fetch_media
from handlers import inbound, memo, replies
from handlers.cards import words
from handlers.cards.model import Card
from handlers.context import Context, Tools
from handlers.messages import Inbound, Outbound, Say
from handlers.post import post
from sales.errors import BadAudio, BotError, SpeechUnavailable
from storage import card_handles, directory, inbox, jobs, media, memos, outbox, people
from storage.database import Database, Session
from storage.jobs import MAX_ATTEMPTS, Job
from storage.memos import Memo
from storage.outbox import ToSend

log = structlog.get_logger()
T = TypeVar("T")

SEND_TIMEOUT_S: Final = 60.0
MOST_AWAY_WAIT_S: Final = 15.0  # a channel that is back is noticed so soon
SENT_AGAIN: Final = "outcome unknown, sent again"
NO_MODEL_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Again:
    """Run this job again after *after_s* seconds."""

    after_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """Stop here until somebody asks for another run; *reason* is what the admin reads."""

    reason: str


Outcome = Again | Parked | None


def back_off(attempts: int) -> float:
    """1, 2, 4 … 60 seconds."""
    return float(min(60, 2 ** max(0, attempts - 1)))


class Work:
    """``run`` does one job; it never raises for what is in the job itself."""

    def __init__(
        self,
        db: Database,
        tools: Tools,
        channels: Mapping[str, Channel],
        loop: asyncio.AbstractEventLoop,
        duration_s: Callable[[bytes], float | None],
    ) -> None:
        self._db = db
        self._tools = tools
        self._channels = channels
        self._loop = loop
        self._duration_s = duration_s
        self._kinds: dict[str, Callable[[Job], Outcome]] = {
            "inbox": self._inbox,
            "memo": self._memo,
            "outbox": self._outbox,
        }

    def run(self, job: Job) -> Outcome:
        """Do *job*; its end is committed together with its effects, or given back as an outcome."""
        try:
            return self._kinds[job.kind](job)
        except ChannelAway as away:
            return self._wait(job, away)
        except BotError as error:
            if error.transient and job.attempts < MAX_ATTEMPTS:
                return Again(back_off(job.attempts), str(error))
            return self._give_up(job, str(error))
        except Exception as error:
            log.exception("job failed", job=job.id, kind=job.kind, ref=job.ref)
            if job.attempts < 3:
                return Again(back_off(job.attempts), f"bug: {error!r}")
            return self._give_up(job, f"bug: {error!r}")

    # --- inbox ----------------------------------------------------------------------------------

    def _inbox(self, job: Job) -> Outcome:
        arrived = self._db.read(lambda session: inbox.get(session, job.ref))
        if arrived is None or arrived.state == "done":
            return self._finish(job)
        event = Inbound.from_payload(arrived.payload)
        try:
            event, stored, duration_ms = fetch_media(
                event,
                channels=self._channels,
                store=self._tools.media,
                ask=self._ask,
                duration_s=self._duration_s,
                last_try=job.attempts >= MAX_ATTEMPTS,
            )
        except MediaGone as gone:
            return self._not_fetched(job, event, gone)

        def handle(session: Session) -> None:
            now = self._tools.clock.now()
            if not inbox.finish(session, job.ref, now=now):
                return
            if stored:
                media.add(session, stored, now=now)
            if event.handle and event.channel == card_handles.CHANNEL:
                card_handles.tapped(
                    session, event.card_id, event.handle, nonce=event.nonce, now=now
                )
            person = people.by_platform(session, event.channel, event.user)
            if person is None:
                self._stranger(session, event)
            else:
                ctx = Context(
                    session=session,
                    now=now,
                    person=person,
                    tools=self._tools,
                    key=f"in:{job.ref}",
                    channel=event.channel,
                    conversation=event.conversation,
                    event=event,
                )
                said = inbound.handle(event, ctx, inbox_id=job.ref, duration_ms=duration_ms)
                post(session, said, now=now)
            jobs.queue_of(session).finish(session, job.id)

        self._db.write(handle)
        return None

    def _not_fetched(self, job: Job, event: Inbound, gone: MediaGone) -> Outcome:
        """The person is asked to send it again, the admin sees why it did not come."""

        def tell(session: Session) -> None:
            inbox.park(session, job.ref, reason=str(gone))
            jobs.queue_of(session).park(session, job.id, reason=str(gone))
            person = people.by_platform(session, event.channel, event.user)
            if person is None:
                self._stranger(session, event)
                return
            people.wrote_from(  # the answer belongs where they wrote, were it their first word
                session, person, channel=event.channel, conversation=event.conversation
            )
            told = replies.not_fetched(event.kind, gone.reason)
            say = Say(effect_key=f"media_gone:{job.ref}", person_id=person.id, text=told)
            post(session, [say], now=self._tools.clock.now())

        self._db.write(tell)
        return Parked(str(gone))

    def _stranger(self, session: Session, event: Inbound) -> None:
        """Told once a day who can let them in; what they sent is kept in the inbox."""
        now = self._tools.clock.now()
        directory.want(session, event.channel, now=now)  # perhaps they are new there
        if event.action == "welcome":
            return  # an admin let them in; they have not said a word
        outbox.put(
            session,
            effect_key=f"stranger:{event.channel}:{event.user}:{words.local_day(now)}",
            channel=event.channel,
            conversation=event.conversation,
            person_id=None,
            user=event.user,
            kind="text",
            payload={"text": replies.UNKNOWN_PERSON},
            now=now,
        )

    # --- memo -----------------------------------------------------------------------------------

    def _memo(self, job: Job) -> Outcome:
        found = self._db.read(lambda session: memos.get(session, job.ref))
        if found is None or found.state in memos.SETTLED:
            return self._finish(job)
        if found.text is None:
            try:
                found = self._hear(found)
            except BadAudio as bad:
                stored = self._db.read(lambda s: media.find(s, found.media_sha or ""))
                told = replies.bad_audio(bad.reason, stored.name if stored else "")
                return self._not_heard(job, found, f"bad_audio: {bad.reason}", told)
            except SpeechUnavailable as away:
                if away.reason == "no_model":
                    return Again(NO_MODEL_WAIT_S, "speech: no_model")
                raise
            if not (found.text or "").strip():
                return self._not_heard(job, found, memo.HEARD_NOTHING, replies.HEARING_FAILED)
        heard = found
        world = self._db.read(lambda s: self._tools.worlds.of(s, heard.person_id))
        facts = memo.understand(heard, self._tools, world)

        def draft(session: Session) -> None:
            if not memos.start_drafting(session, heard.id, facts.to_dict()):
                return
            ctx = self._memo_context(session, heard)
            post(session, memo.draft(heard, facts, ctx), now=ctx.now)
            jobs.queue_of(session).finish(session, job.id)

        self._db.write(draft)
        return None

    def _hear(self, found: Memo) -> Memo:
        known = self._db.read(lambda session: memo.hints_for(session, found))
        text, kept, duration_ms = memo.hear(found, self._tools, known)
        if not text.strip():
            return replace(found, text="")

        def keep(session: Session) -> Memo | None:
            memos.heard(session, found.id, text=text, transcript=kept, duration_ms=duration_ms)
            return memos.get(session, found.id)

        return self._db.write(keep) or found

    def _not_heard(self, job: Job, found: Memo, reason: str, told: str) -> Outcome:
        """The sound stays, the person is told once, the admin sees why and can run it again."""

        def tell(session: Session) -> None:
            memos.set_state(session, found.id, "failed", reason=reason)
            ctx = self._memo_context(session, found)
            say = Say(effect_key=f"memo.failed:{found.id}", person_id=found.person_id, text=told)
            post(session, [say], now=ctx.now)
            jobs.queue_of(session).park(session, job.id, reason=reason)

        self._db.write(tell)
        return Parked(reason)

    def _memo_context(self, session: Session, found: Memo) -> Context:
        person = people.get(session, found.person_id)
        if person is None:
            raise LookupError(f"memo {found.id} without its person")
        return Context(
            session=session,
            now=self._tools.clock.now(),
            person=person,
            tools=self._tools,
            key=f"memo:{found.id}",
            channel=found.channel,
            conversation=found.conversation,
        )

    # --- outbox ---------------------------------------------------------------------------------

    def _outbox(self, job: Job) -> Outcome:
        row = self._db.read(lambda session: outbox.get(session, job.ref))
        if row is None or row.state in ("sent", "superseded"):
            return self._finish(job)
        if row.kind == "rewrite" and row.outdated:
            self._db.write(lambda session: outbox.close(session, row.id, state="superseded"))
            return self._finish(job)
        channel = self._channels.get(row.channel)
        if channel is None:
            return Again(60, f"channel {row.channel} is off")
        if row.state == "sending" and not channel.idempotent:
            # It may have arrived before the crash; said twice is better than never, but only once.
            if row.reason == SENT_AGAIN:
                return self._give_up(job, SENT_AGAIN)
            log.warning("outcome unknown, sent again", outbox=row.id)
            self._db.write(
                lambda session: outbox.close(session, row.id, state="unknown", reason=SENT_AGAIN)
            )
        if not self._db.write(lambda session: outbox.sending(session, row.id)):
            return self._finish(job)
        try:
            sent = self._ask(channel.send(_outgoing(row)))
        except OutcomeUnknown:
            raise  # the row stays "sending": the next run knows that it may have arrived
        except ChannelError as error:
            # Refused for certain: the next try is no second sending.
            self._db.write(
                lambda session: outbox.close(session, row.id, state="queued", reason=row.reason)
            )
            if isinstance(error, ChannelAway):
                raise
            if error.transient and job.attempts < MAX_ATTEMPTS:
                return Again(max(error.retry_after_s, back_off(job.attempts)), str(error))
            raise
        self._db.write(lambda session: self._sent(session, job, row, sent))
        return None

    def _sent(self, session: Session, job: Job, row: ToSend, sent: Sent) -> None:
        outbox.sent(
            session,
            row.id,
            platform_id=sent.platform_id,
            handle=sent.handle,
            now=self._tools.clock.now(),
        )
        jobs.queue_of(session).finish(session, job.id)

    # --- shared ---------------------------------------------------------------------------------

    def _ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Ask a channel on the event loop and wait here in the thread."""
        answer = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return answer.result(SEND_TIMEOUT_S)
        except TimeoutError:
            answer.cancel()
            raise OutcomeUnknown("no answer in time", transient=True) from None

    def _wait(self, job: Job, away: ChannelAway) -> Outcome:
        """Nothing was tried, so the job keeps tries for when the channel is back."""
        if job.attempts > jobs.SPARED:
            self._db.write(lambda session: jobs.queue_of(session).spare(session, job.id))
        wait_s = min(back_off(job.attempts), MOST_AWAY_WAIT_S)
        return Again(max(away.retry_after_s, wait_s), str(away))

    def _finish(self, job: Job) -> Outcome:
        self._db.write(lambda session: jobs.queue_of(session).finish(session, job.id))
        return None

    def _give_up(self, job: Job, reason: str) -> Outcome:
        """Park the job and its row, and tell the person that it is kept."""

        def park(session: Session) -> None:
            jobs.queue_of(session).park(session, job.id, reason=reason)
            if job.kind == "outbox":
                outbox.close(session, job.ref, state="parked", reason=reason)
                return
            if job.kind == "inbox":
                inbox.park(session, job.ref, reason=reason)
            else:
                memos.set_state(session, job.ref, "failed", reason=reason)
            said = self._apology(session, job)
            if said:
                post(session, [said], now=self._tools.clock.now())

        self._db.write(park)
        return Parked(reason)

    def _apology(self, session: Session, job: Job) -> Outbound | None:
        if job.kind == "memo":
            found = memos.get(session, job.ref)
            person_id = found.person_id if found else None
        else:
            arrived = inbox.get(session, job.ref)
            event = Inbound.from_payload(arrived.payload) if arrived else None
            person = people.by_platform(session, event.channel, event.user) if event else None
            person_id = person.id if person else None
        if person_id is None:
            return None
        return Say(
            effect_key=f"parked:{job.kind}:{job.ref}",
            person_id=person_id,
            text=replies.BUG.format(number=job.id),
        )


def _outgoing(row: ToSend) -> Outgoing:
    card = row.payload.get("card")
    return Outgoing(
        effect_key=row.effect_key,
        kind=row.kind,  # type: ignore[arg-type]  # the table holds no other words
        conversation=row.conversation,
        user=row.user,
        text=row.payload.get("text", ""),
        card=Card.from_dict(card) if card else None,
        card_id=row.card_id or "",
        nonce=row.nonce,
        version=row.payload.get("version", 1),
        handle=row.handle,
        media_sha=row.payload.get("media_sha", ""),
        media_name=row.payload.get("media_name", ""),
    )
