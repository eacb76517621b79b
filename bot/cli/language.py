"""The batch commands: JSON lines in, one JSON object a line out, in the same order."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from bot import words

_FILES = click.argument("files", metavar="文件… 或 -", nargs=-1, required=True)
_NO_LINE = "\x00"  # no JSON: the batch answers such a line with an error


@click.command()
@_FILES
@click.option("--explain", is_flag=True, help="每个字段是哪条规则、凭哪些字读出来的")
def extract(files: tuple[str, ...], explain: bool) -> int:
    return _batch("extract", files, explained=explain)


@click.command()
@_FILES
def dates(files: tuple[str, ...]) -> int:
    return _batch("dates", files)


@click.command()
@_FILES
@click.option("--numbers", is_flag=True, help="没有单位的数也读")
def amounts(files: tuple[str, ...], numbers: bool) -> int:
    return _batch("amounts", files, numbers=numbers)


@click.command()
@_FILES
def match(files: tuple[str, ...]) -> int:
    return _batch("match", files)


@click.group()
def evaluate() -> None:
    pass


_LABELLED = click.argument("file", metavar="文件 或 -")
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="给程序读的 JSON")
_ERRORS = click.option("--errors", is_flag=True, help="逐条列出错在哪里")


def _scoring(command: Callable[..., None]) -> Callable[..., None]:
    for option in (_ERRORS, _AS_JSON, _LABELLED):
        command = option(command)
    return command


@evaluate.command()
@_scoring
def memos(file: str, **shown: bool) -> None:
    """每个字段的准确率。例：genjin eval memos memos.jsonl"""
    _score("memos", file, **shown)


@evaluate.command("dates")
@_scoring
def dates_score(file: str, **shown: bool) -> None:
    """日期读得准不准。例：genjin eval dates dates.jsonl"""
    _score("dates", file, **shown)


@evaluate.command("amounts")
@_scoring
def amounts_score(file: str, **shown: bool) -> None:
    """金额读得准不准。例：genjin eval amounts sums.jsonl"""
    _score("sums", file, **shown)


@evaluate.command("confirmed")
@click.option("--weeks", default=12, show_default=True, help="最近几周")
@_AS_JSON
@_ERRORS
def confirmed(weeks: int, as_json: bool, errors: bool) -> None:
    """自己公司已入库的纪要，读出来的与大家改过的差多少，按周列出。例：genjin eval confirmed"""
    from bot.cli import support
    from nlp.evaluate import format_weeks, score_confirmed
    from nlp.evaluate.confirmed import expected
    from storage import memos as stored

    since = support.now() - timedelta(weeks=weeks)
    with support.database() as database:
        filed = database.read(lambda session: list(stored.confirmed(session, since=since)))
    tables = score_confirmed(
        (
            one.said_at.astimezone().strftime("%G-W%V"),
            f"record {one.record_id} {one.person}",
            one.read,
            expected(one.draft, one.customer),
        )
        for one in filed
    )
    if not tables[""].rows:
        click.echo(words.NOTHING_CONFIRMED.format(weeks=weeks))
    elif as_json:
        click.echo(json.dumps({week or "all": one.to_dict() for week, one in tables.items()}))
    else:
        click.echo(format_weeks(tables, errors=errors))


def _score(module: str, file: str, *, as_json: bool, errors: bool) -> None:
    """Score the labelled rows of *file* by ``nlp.evaluate.<module>``."""
    from nlp.evaluate import format_table, read_rows

    scoring = importlib.import_module(f"nlp.evaluate.{module}")
    try:
        rows = read_rows(_lines((file,)), needs=scoring.NEEDS)
    except ValueError as error:
        raise click.ClickException(words.NOT_LABELLED.format(file=file, why=error)) from None
    table = scoring.score(rows)
    if as_json:
        click.echo(json.dumps(table.to_dict(), ensure_ascii=False))
    else:
        click.echo(format_table(table, errors=errors))


@click.command()
@click.argument("files", metavar="录音…", nargs=-1, required=True)
@click.option("--backend", help="用哪个语音识别，默认 config.toml 里的")
@click.option("--model", help="用哪个模型，例如 demo-voice")
def transcribe(files: tuple[str, ...], backend: str | None, model: str | None) -> int:
    from dataclasses import replace

    from bot import config as settings
    from bot import speech
    from bot.home import Home
    from nlp.ports import Hints
    from nlp.transcribe import build_transcriber
    from sales.errors import BadAudio, SpeechUnavailable

    home = Home.find()
    config = settings.load(home.path)
    chosen = speech.settings_of(config, home.models)
    if backend is not None:
        chosen = replace(chosen, backend=backend)
    if model is not None:
        chosen = replace(chosen, model=model)
    try:
        transcriber = build_transcriber(chosen, models_dir=home.models)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--backend") from None
    wrong = False
    try:
        for file in files:
            result: dict[str, Any] = {"file": file}
            try:
                heard = transcriber.transcribe(
                    Path(file).read_bytes(), Hints(language=config.speech.language)
                )
            except OSError as error:
                result["error"] = error.strerror or type(error).__name__
            except (BadAudio, SpeechUnavailable) as error:
                result["error"] = str(error)
            else:
                result |= {
                    "text": heard.text,
                    "language": heard.language,
                    "duration_s": round(heard.duration_s, 3),
                    "compute_s": round(heard.compute_s, 3),
                    "backend": heard.backend,
                    "model": heard.model,
                    "segments": [
                        {"start_s": one.start_s, "end_s": one.end_s, "text": one.text}
                        for one in heard.segments
                    ],
                }
            wrong = wrong or "error" in result
            click.echo(json.dumps(result, ensure_ascii=False))
    finally:
        close = getattr(transcriber, "close", None)
        if close is not None:
            close()
    return int(wrong)


@click.command()
def models() -> None:
    from bot import config as settings
    from bot import speech
    from bot.home import Home
    from nlp import models as known
    from nlp.transcribe import build_transcriber

    home = Home.find()
    found = known.list_models(home.models)
    for model in found:
        wrong = "；".join(known.check(model))
        size = f"{model.size_bytes / 2**20:.0f} MB"
        click.echo(f"{model.name}  {model.format}  {size}  {wrong or words.FINE}")
    if not found:
        click.echo(words.NO_MODELS.format(path=home.models))
    config = settings.load(home.path)
    chosen = build_transcriber(speech.settings_of(config, home.models), models_dir=home.models)
    said = chosen.describe()
    click.echo(words.MODEL_IN_USE.format(**{"backend": "", "model": "", "detail": "", **said}))


def _batch(command: str, files: tuple[str, ...], **options: Any) -> int:
    from nlp import batch

    wrong = False
    for answer, fine in batch.run(command, _lines(files), **options):
        wrong = wrong or not fine
        click.echo(json.dumps(answer, ensure_ascii=False))
    return int(wrong)


def _lines(files: tuple[str, ...]) -> Iterator[str]:
    for name in files:
        if name == "-":
            yield from _decoded(sys.stdin.buffer)
            continue
        try:
            with Path(name).open("rb") as file:
                yield from _decoded(file)
        except OSError as error:
            raise click.ClickException(
                words.SHEET_MISSING.format(file=name, why=error.strerror)
            ) from None


def _decoded(lines: Any) -> Iterator[str]:
    """Each line by itself: one that is not UTF-8 spoils no other."""
    for number, raw in enumerate(lines):
        data = raw.removeprefix(b"\xef\xbb\xbf") if number == 0 else raw
        if not data.strip():
            continue
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError:
            yield _NO_LINE
