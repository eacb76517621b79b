"""Scores against labels, behind ``genjin eval``: of memos, dates, sums and confirmed records."""

from nlp.evaluate.confirmed import score_confirmed
from nlp.evaluate.dates import score as score_dates
from nlp.evaluate.memos import score as score_memos
from nlp.evaluate.sums import score as score_sums
from nlp.evaluate.table import Table, format_table, format_weeks, read_rows

__all__ = [
    "Table", "format_table", "format_weeks", "read_rows", "score_confirmed", "score_dates", "score_memos",
    "score_sums",
]  # fmt: skip
