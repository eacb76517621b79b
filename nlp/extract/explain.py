"""Why a memo was read as it was: ``genjin extract --explain``.

Every field is given with the rule that made it, and, where a model had a say, with how sure it was
and the signs that spoke most for it.
"""

from __future__ import annotations

from typing import Any

from nlp.extract.kinds import rule_kind
from nlp.extract.promises import rule_promises
from nlp.extract.rules import Reading
from nlp.extract.scene import Scene
from nlp.extract.signs import of_message, of_objection, of_promise
from nlp.learned import load
from sales.facts import MemoFacts, RecordFacts, Span

Item = dict[str, Any]


def explain(reading: Reading, facts: MemoFacts) -> Item:
    """The clauses as they were cut, what the message is, and the rule of every field.

    Shape: ``{"kind": {...}, "clauses": [{"span", "text", "by", "says"}], "fields": [{"field",
    "span", "said", "rule", "because"}]}``; spans count characters of the text.
    """
    scene, voices = reading.scene, reading.voices
    signs = of_message(scene, voices, by_rule=rule_kind(scene))
    scores = load("kinds").scores(signs)
    clauses = [
        {
            "span": list(clause.span),
            "text": scene.said(clause.span),
            "by": voice.subject or "-",
            "quoted": voice.speaker or "-",
        }
        for clause, voice in zip(scene.clauses, voices, strict=True)
    ]
    fields: list[Item] = []
    for record in facts.records:
        fields += _named(scene, record)
        fields += _counted(scene, record)
        fields += _objections(reading, record)
        fields += _promises(reading, record)
    return {
        "kind": {
            "is": reading.kind,
            "rule": f"rule={rule_kind(scene)}",
            "sure": round(scores[reading.kind], 3),
            "because": load("kinds").reasons(signs, reading.kind),
        },
        "clauses": clauses,
        "fields": fields,
    }


def _item(
    scene: Scene, field: str, span: Span, rule: str, because: list[str] | None = None
) -> Item:
    found: Item = {"field": field, "span": list(span), "said": scene.said(span), "rule": rule}
    return found | ({"because": because} if because else {})


def _named(scene: Scene, record: RecordFacts) -> list[Item]:
    out = []
    hits = {hit.span: hit for hit in (*scene.customers, *scene.products, *scene.rivals)}
    people = {one.span: one for one in scene.people}
    customer = record.customer
    if customer is not None:
        hit = hits.get(customer.span)
        rule = f"name-{_heard(hit)}" if hit else "by-contact" if customer.known else "frame"
        out.append(
            _item(scene, "customer", customer.span, rule + ("-tie" if customer.candidates else ""))
        )
    for contact in record.contacts:
        person = people.get(contact.span)
        rule = (
            "role-of-one-contact" if person is None else "full-name" if person.full else "surname"
        )
        if person is not None and person.title:
            rule += "+title"
        out.append(
            _item(scene, "contacts", contact.span, rule + ("-new" if contact.new else "-known"))
        )
    for kind, things in (("products", record.products), ("competitors", record.competitors)):
        for one in things:
            hit = hits.get(one.span)
            out.append(_item(scene, kind, one.span, f"name-{_heard(hit)}" if hit else "frame"))
    return out


def _heard(hit: Any) -> str:
    """How a name was heard: letter for letter, by sound, or with a syllable off."""
    if hit.exact:
        return "letters"
    return "learned" if hit.score >= 1.0 else "sound" if hit.score >= 0.9 else "near"


def _counted(scene: Scene, record: RecordFacts) -> list[Item]:
    rules = {hit.span: hit.rule for hit in scene.sums}
    return [
        _item(
            scene,
            "amounts",
            one.span,
            f"sum-{rules.get(one.span) or 'told'}",
            [one.role] if one.role else None,
        )
        for one in record.amounts
    ]


def _objections(reading: Reading, record: RecordFacts) -> list[Item]:
    scene, model = reading.scene, load("objections")
    out = []
    for one in record.objections:
        numbers = [n for n, c in enumerate(scene.clauses) if one.span[0] <= c.start < one.span[1]]
        signs = set().union(*(of_objection(scene, reading.voices, n) for n in numbers))
        sure = 1.0 - model.scores(signs)[""]
        out.append(
            _item(scene, "objections", one.span, f"objection-{one.category} ({sure:.2f})",
                  model.reasons(signs, one.category))
        )  # fmt: skip
    return out


def _promises(reading: Reading, record: RecordFacts) -> list[Item]:
    scene, model = reading.scene, load("promises")
    days = {hit.span: hit.rule for hit in scene.dates}
    made, hands = rule_promises(scene, reading.voices, list(range(len(scene.clauses))))
    out = []
    for one in record.commitments:
        inside = [
            n for n, c in enumerate(scene.clauses) if c.start < one.span[1] and one.span[0] < c.end
        ]
        best, because = 0.0, []
        for number in inside:
            rule = made.get(number)
            signs = of_promise(
                scene,
                reading.voices,
                number,
                by_rule=rule.fact.who if rule else "",
                days=hands.get(number, ""),
            )
            sure = model.scores(signs)[one.who]
            if sure >= best:
                best, because = sure, model.reasons(signs, one.who)
        item = _item(scene, "commitments", one.span, f"promise-{one.who} ({best:.2f})", because)
        if one.due_span:
            item["due"] = f"{one.due} by {days.get(one.due_span, 'told')}"
        out.append(item)
    return out
