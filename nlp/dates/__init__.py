"""Dates in Chinese talk: ``find_dates`` reads every time expression (EXTRACTION section 2).

Stages: fold -> atoms -> phrases -> ranges -> modifiers -> spans -> corrections -> hits.
"""

from nlp.dates.find import find_dates
from nlp.dates.legal import seeded_calendar
from nlp.dates.model import DateHit

__all__ = ["DateHit", "find_dates", "seeded_calendar"]
