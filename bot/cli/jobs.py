"""The queue by hand: the same functions as on its page."""

from __future__ import annotations

from collections.abc import Callable

import click

from bot import words
from bot.cli import support
from storage import audit
from storage.database import Database, Session
from storage.jobs import JobView, queue_of


@click.group()
def jobs() -> None:
    pass


@jobs.command("list")
@click.option("--parked", is_flag=True, help="只看搁置的")
@click.option("--all", "everything", is_flag=True, help="连完成的一起看")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
def list_(parked: bool, everything: bool, limit: int) -> None:
    """列出任务。例：genjin jobs list --parked"""
    states: tuple[str, ...] = ("queued", "running", "parked")
    if parked:
        states = ("parked",)
    elif everything:
        states = ()
    with support.database() as database:
        found = database.read(lambda s: queue_of(s).listing(s, states=states, limit=limit))
    if not found:
        click.echo(words.NO_JOBS)
        return
    click.echo(support.table(words.JOB_TABLE, [_row(job) for job in found]))


@jobs.command()
@click.argument("job_id", metavar="编号", type=int)
def show(job_id: int) -> None:
    """看一个任务。例：genjin jobs show 12"""
    with support.database() as database:
        job = _get(database, job_id)
    for title, value in zip(words.JOB_TABLE, _row(job), strict=True):
        click.echo(f"{title}：{value}")


@jobs.command()
@click.argument("job_ids", metavar="编号…", type=int, nargs=-1)
@click.option("--parked", is_flag=True, help="全部搁置的")
def retry(job_ids: tuple[int, ...], parked: bool) -> int:
    """重新执行。例：genjin jobs retry 12；genjin jobs retry --parked"""
    if bool(job_ids) == parked:
        raise click.UsageError(words.JOB_WHICH)
    with support.database() as database:
        if parked:
            found = database.read(
                lambda s: queue_of(s).listing(s, states=("parked",), limit=10_000)
            )
            job_ids = tuple(job.id for job in found)
        for job_id in job_ids:
            _get(database, job_id)
        busy = [job_id for job_id in job_ids if not database.write(_retry(job_id))]
    done = [str(job_id) for job_id in job_ids if job_id not in busy]
    if done:
        click.echo(words.JOB_AGAIN.format(ids="、".join(done)))
    for job_id in busy:
        click.echo(words.JOB_BUSY.format(id=job_id), err=True)
    if not job_ids:
        click.echo(words.NO_JOBS)
    return int(bool(busy))


@jobs.command()
@click.argument("job_id", metavar="编号", type=int)
@click.option("--reason", default=words.BY_HAND, help="为什么")
def park(job_id: int, reason: str) -> None:
    """搁置一个任务。例：genjin jobs park 12 --reason 等管理员处理"""

    def work(session: Session) -> None:
        queue_of(session).park(session, job_id, reason=reason)
        _note(session, "job.park", job_id, {"reason": reason})

    with support.database() as database:
        _get(database, job_id)
        database.write(work)
    click.echo(words.JOB_PARKED.format(id=job_id))


def _retry(job_id: int) -> Callable[[Session], bool]:
    def work(session: Session) -> bool:
        done = queue_of(session).retry(session, job_id)
        if done:
            _note(session, "job.retry", job_id, {})
        return done

    return work


def _note(session: Session, action: str, job_id: int, new: dict[str, str]) -> None:
    audit.note(
        session, at=support.now(), who="cli", action=action, subject=f"job:{job_id}", new=new
    )


def _get(database: Database, job_id: int) -> JobView:
    job = database.read(lambda session: queue_of(session).get(session, job_id))
    if job is None:
        raise click.ClickException(words.NO_JOB.format(id=job_id))
    return job


def _row(job: JobView) -> tuple[str, ...]:
    return (
        str(job.id),
        job.kind,
        str(job.ref),
        job.lane,
        words.JOB_STATES.get(job.state, job.state),
        str(job.attempts),
        support.local(job.run_at),
        job.reason,
    )
