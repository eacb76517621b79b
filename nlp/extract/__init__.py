"""From a transcript to fields, offline (see ``rules``); a model may help where one is set."""

from __future__ import annotations

from nlp.ports import Extractor, LlmSettings


def build_extractor(llm: LlmSettings | None = None) -> Extractor:
    """The extractor that ``handlers`` use.  Building it is cheap; tables load when first needed.

    *llm* is asked only when it is enabled and complete (see ``LlmSettings.problem``).
    """
    from nlp.extract.rules import RuleExtractor

    if llm is None or not llm.enabled or llm.problem():
        return RuleExtractor()
    from nlp.extract.llm import LlmExtractor

    return LlmExtractor(RuleExtractor(), llm)
