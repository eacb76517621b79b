"""From a transcript to fields, offline (see ``rules``), with an LLM to add to it if one is set."""

from __future__ import annotations

from nlp.ports import Extractor, LlmSettings


def build_extractor(llm: LlmSettings | None = None) -> Extractor:
    """The extractor that ``handlers`` use.  Building it is cheap; tables load when first needed.

    An *llm* that is off, or that cannot be asked (see its ``problem``), leaves the rules alone.
    """
    from nlp.extract.rules import RuleExtractor

    rules = RuleExtractor()
    if llm is None or not llm.enabled or llm.problem():
        return rules
    from nlp.extract.llm import LlmExtractor

    return LlmExtractor(rules, llm)
