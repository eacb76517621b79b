"""A memo: received, heard, understood, drafted.

``hear`` and ``understand`` are slow and have no transaction; what they find is stored on the memo
at once, so a crash does not do it twice.  ``draft`` is one transaction with everything it says.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from handlers import contradictions, joining, replies, routes, views
from handlers.cards import memo as cards
from handlers.context import Context, Tools
from handlers.messages import Inbound, Outbound
from handlers.world import hints
from nlp.ports import Hints, World
from sales.drafts import Draft
from sales.facts import MemoFacts, RecordFacts
from storage import customers, jobs, memos
from storage.database import Session
from storage.memos import Memo

HEARD_NOTHING = "silence"
TOO_LONG = "too_long"
_SECONDS_PER_SECOND = 0.5  # compute per sound, until this machine's own figure is known


def receive_voice(
    event: Inbound, ctx: Context, *, inbox_id: int, duration_ms: int | None
) -> list[Outbound]:
    """Keep the recording as a memo, queue the hearing, tell the person at once (F138).

    Some channels give the platform's own words instead of the sound: then nothing is to be heard.
    """
    if not event.media_sha and not event.platform_text.strip():
        return [ctx.reply(replies.HEARING_FAILED)]
    memo_id = memos.add(
        ctx.session,
        inbox_id=inbox_id,
        person_id=ctx.person.id,
        channel=event.channel,
        conversation=event.conversation,
        source="voice",
        media_sha=event.media_sha or None,
        said_at=event.at,
        duration_ms=duration_ms,
        platform_text=event.platform_text,
        text=None,
    )
    if memo_id is None:
        return []
    if not event.media_sha:
        _enqueue(ctx, memo_id, lane="message")
        return []
    ahead = jobs.queue_of(ctx.session).waiting(ctx.session, "speech")
    _enqueue(ctx, memo_id, lane="speech")
    # A model that is still loading hears soon; without one the sound waits for an admin.
    if not ctx.tools.transcriber.describe().get("model") and not event.platform_text:
        return [ctx.reply(replies.NO_SPEECH)]
    wait_s = max(3, round((duration_ms or 10_000) / 1000 * _SECONDS_PER_SECOND))
    return [ctx.reply(replies.received(duration_ms, wait_s, ahead))]


def receive_text(event: Inbound, ctx: Context, *, inbox_id: int) -> list[Outbound]:
    """A text that is no command: read it as a memo, in order with the person's other texts."""
    limit = ctx.tools.memo.max_text
    memo_id = memos.add(
        ctx.session,
        inbox_id=inbox_id,
        person_id=ctx.person.id,
        channel=event.channel,
        conversation=event.conversation,
        source="text",
        media_sha=None,
        said_at=event.at,
        duration_ms=None,
        platform_text="",
        text=event.text,
    )
    if memo_id is None:
        return []
    if len(event.text) > limit:
        memos.set_state(ctx.session, memo_id, "failed", reason=TOO_LONG)
        return [ctx.reply(replies.TOO_LONG_TEXT.format(count=len(event.text), limit=limit))]
    _enqueue(ctx, memo_id, lane="message")
    return []


def _enqueue(ctx: Context, memo_id: int, *, lane: str) -> None:
    jobs.put(
        ctx.session,
        jobs.NewJob(kind="memo", ref=memo_id, lane=lane, lock=ctx.conversation),
    )


def hints_for(session: Session, memo: Memo) -> Hints:
    return hints(session, memo.person_id, memo.platform_text)


def hear(memo: Memo, tools: Tools, known: Hints) -> tuple[str, dict[str, object], int]:
    """Sound to text.

    Returns:
        The text ('' when nothing was said), what to keep of the transcript, milliseconds of sound.

    Raises:
        BadAudio, SpeechUnavailable: see :class:`nlp.ports.Transcriber`.
    """
    data = tools.media.get(memo.media_sha) if memo.media_sha else b""
    made = tools.transcriber.transcribe(data, known)
    kept = asdict(made)
    kept["segments"] = [asdict(segment) for segment in made.segments]
    return made.text, kept, round(made.duration_s * 1000)


def understand(memo: Memo, tools: Tools, world: World) -> MemoFacts:
    return tools.extractor.extract(memo.text or "", now=memo.said_at, world=world)


def draft(memo: Memo, facts: MemoFacts, ctx: Context) -> list[Outbound]:
    """Fast half: what was understood becomes records with a card each (G4), or is answered."""
    if memo.source == "voice" and not memo.join:
        # A reply may be spoken too (G1): 不对 是下周三.
        answered = routes.answer(memo.text or "", ctx)
        if answered is not None:
            memos.set_state(ctx.session, memo.id, "drafted", reason=joining.ANSWERED)
            return answered
    if facts.kind != "memo" or not facts.records:
        if memo.join:
            return joining.nothing_read(ctx, memo)
        return joining.offer(ctx, memo) or [ctx.reply(replies.NOT_UNDERSTOOD)]
    said: list[Outbound] = []
    for ordinal, record in enumerate(facts.records):
        said += _draft_one(memo, ordinal, record, ctx)
    if memo.transcript and memo.transcript.get("cut"):
        minutes = round((memo.duration_ms or 600_000) / 60_000)
        said.append(ctx.reply(replies.cut_short(minutes)))
    offered = joining.offer(ctx, memo)
    said += offered
    if not offered and any(record.customer is None for record in facts.records):
        said.append(ctx.reply(replies.NO_CUSTOMER))
    return said


def _draft_one(memo: Memo, ordinal: int, facts: RecordFacts, ctx: Context) -> list[Outbound]:
    customer = None
    if facts.customer and facts.customer.known and not facts.customer.candidates:
        customer = customers.by_name(ctx.session, facts.customer.name)
    record_id = memos.add_record(
        ctx.session,
        memo_id=memo.id,
        ordinal=ordinal,
        person_id=memo.person_id,
        customer_id=customer.id if customer else None,
        draft=joining.corrected(ctx, memo, Draft(facts=facts)),
        remind_at=ctx.now + timedelta(hours=ctx.tools.memo.remind_hours),
        now=ctx.now,
    )
    record = memos.get_record(ctx.session, record_id) if record_id else None
    if record is None:
        return []
    view = views.of(ctx.session, record, memo, undo_minutes=ctx.tools.memo.undo_minutes)
    return [views.show(record, cards.confirm(view)), *contradictions.ask(ctx, record)]
