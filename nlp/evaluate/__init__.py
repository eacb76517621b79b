"""Scores against labels, behind ``genjin eval``: of memos, of dates, of sums."""

from nlp.evaluate.dates import score_dates
from nlp.evaluate.memos import score as score_memos
from nlp.evaluate.sums import score_sums
from nlp.evaluate.table import Table, format_table, read_rows

__all__ = ["Table", "format_table", "read_rows", "score_dates", "score_memos", "score_sums"]
