"""From a transcript to fields, offline (see ``rules``)."""

from __future__ import annotations

from nlp.ports import Extractor


def build_extractor() -> Extractor:
    """The extractor that ``handlers`` use.  Building it is cheap; tables load when first needed."""
    from nlp.extract.rules import RuleExtractor

    return RuleExtractor()
