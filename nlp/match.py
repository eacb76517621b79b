"""Names of a list in recognised speech: misspelt, shortened, or both.

An index is built once per list.  Looking a memo up is dictionary work on its letters and on its
sounds, so a list of twenty thousand names costs no more than one of twenty.  Ties are returned as
ties, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nlp.match_near import NearForms
from nlp.match_signs import believe, follow, legal_end, other_trade
from nlp.pinyin import folded, folded_variants, same
from nlp.shortnames import Strength, short_forms, strip_legal
from nlp.text import Stream, letters_of, stream
from sales.facts import Span

_STRENGTH_SCORE: Mapping[Strength, float] = {"full": 1.0, "base": 0.98, "core": 0.92, "weak": 0.75}
_SAME = 0.9  # every syllable at least alike after folding
_COUNTING = frozenset("0123456789零一二两三四五六七八九十百千万亿第")
_DIGITS = frozenset("0123456789")
_GRAMMAR = (
    frozenset(
        "的了和或与及是在我他她它你们这那不就也都有个月日号年点至要说吗呢吧啊着过把被给对从向"
    )
    | _COUNTING
)
_SOUND_MEAN = 0.93
_LONG_SOUND = 4  # so many syllables right are believed over a particle: 和月文旅
_SAID_APART = ("公司", "集团")  # legal forms that ``legal_end`` takes along


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a name was heard.  More than one of ``names``: a tie."""

    span: Span
    letters: Span  # the same place, counted in letters of the stream
    names: tuple[str, ...]
    score: float
    exact: bool
    sure: bool = True  # False: only believable with other signs (a contact, a visit)


@dataclass(slots=True)
class _Form:
    text: str
    owners: list[tuple[str, Strength]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    form: _Form
    likeness: float  # 1.0: the same characters


Learned = Mapping[str, tuple[str, ...]]  # heard letters -> the names that are meant
NOTHING_LEARNED: Learned = {}


class NameIndex:
    """The forms of a list of names by letters, by sound and by pairs of sounds.

    Args:
        names: registered name -> known short names (or just the names).
        shorten: learn short forms from the registered names (customers do, products do not).
        cautious: short and common forms need a sign around them (customers in free speech).
        trust: but not a whole name in the right letters (rivals, of which a company has few).
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[str]] | Iterable[str],
        *,
        shorten: bool = True,
        cautious: bool = True,
        trust: bool = False,
    ) -> None:
        shorts: Mapping[str, Sequence[str]]
        shorts = names if isinstance(names, Mapping) else dict.fromkeys(names, ())
        self.names = tuple(shorts)
        self._cautious = cautious
        self._trust = trust
        self._forms: dict[str, _Form] = {}
        self._bare: dict[str, str] = {}
        for name, known in shorts.items():
            if not name.strip():
                continue
            self._bare[name] = letters_of(name)
            forms = short_forms(name) if shorten else ()
            self._add(name, name, "full")
            for short in known:
                self._add(short, name, "base")
            for form in forms:
                self._add(form.text, name, form.strength)
        self._by_letters = _lengths(self._forms)
        self._sounds: dict[str, list[_Form]] = defaultdict(list)
        self._misheard: NearForms[_Form] = NearForms()
        for known_form in self._forms.values():
            self._listen(known_form)
        self._by_sound = _lengths(self._sounds)

    def _listen(self, form: _Form) -> None:
        """Index *form* by its sound, and for one misheard syllable where it is long enough."""
        strength = form.owners[0][1]
        if strength == "full" and form.text.endswith(_SAID_APART):
            return  # 有限公司 is followed from the base, where it is said at all
        codes = folded_variants(form.text)
        for code in codes:
            self._sounds[code].append(form)
        if strength in ("full", "base"):
            for code in codes:
                self._misheard.add(code, form.text, form)

    def _add(self, text: str, name: str, strength: Strength) -> None:
        letters = letters_of(text)
        if len(letters) < 2:
            return
        form = self._forms.get(letters)
        if form is None:
            self._forms[letters] = _Form(letters, [(name, strength)])
        elif form.owners[-1][0] != name:  # the forms of one name come one after another
            form.owners.append((name, strength))

    def learn(self, corrections: Mapping[str, str]) -> Learned:
        """What one person corrected before (G3), for ``find``: heard -> meant.

        What is meant may be any form of a name; names that are not in the list are left out.
        """
        out: dict[str, tuple[str, ...]] = {}
        for heard, meant in corrections.items():
            form = self._forms.get(letters_of(meant))
            letters = letters_of(heard)
            if form is not None and len(letters) >= 2:
                out[letters] = _strongest(form.owners)
        return out

    def named(self, text: str) -> tuple[str, ...]:
        """Names that have *text* as one of their forms, by letters."""
        form = self._forms.get(letters_of(text))
        return _strongest(form.owners) if form else ()

    def find(self, text: str | Stream, learned: Learned = NOTHING_LEARNED) -> list[Hit]:
        """Every name heard in *text*, in order, none overlapping."""
        heard = stream(text) if isinstance(text, str) else text
        if len(heard.letters) < 2 or not self._forms:
            return []
        hits = self._corrected(heard, learned)
        codes = folded(heard.letters)
        found = self._by_dictionary(heard, codes) + self._near(heard, codes)
        for one in found:
            hit = self._judge(heard, one)
            if hit is not None:
                hits.append(hit)
        return _best(hits)

    def _corrected(self, heard: Stream, learned: Learned) -> list[Hit]:
        out = []
        for letters, names in learned.items():
            start = heard.letters.find(letters)
            while start >= 0:
                end = start + len(letters)
                grown, end = self._grow(heard, names, letters, end)
                out.append(
                    Hit(
                        span=heard.span(start, end), letters=(start, end), names=grown,
                        score=2.0, exact=False,
                    )
                )  # fmt: skip
                start = heard.letters.find(letters, end)
        return out

    def _by_dictionary(self, heard: Stream, codes: str) -> list[_Found]:
        """Forms with the same letters, then those with the same sounds."""
        out = []
        letters = heard.letters
        for start in range(len(letters) - 1):
            exact_ends = set()
            for length in self._by_letters.get(letters[start : start + 2], ()):
                form = self._forms.get(letters[start : start + length])
                if form is not None and start + length <= len(letters):
                    out.append(_Found(start, start + length, form, 1.0))
                    exact_ends.add(start + length)
            for length in self._by_sound.get(codes[start : start + 2], ()):
                end = start + length
                if end > len(letters) or end in exact_ends:
                    continue
                for form in self._sounds.get(codes[start:end], ()):
                    if length < _LONG_SOUND and _is_grammar(letters[start:end], form.text):
                        continue
                    likeness = _likeness(letters[start:end], form.text)
                    if likeness:
                        out.append(_Found(start, end, form, likeness))
        return out

    def _near(self, heard: Stream, codes: str) -> list[_Found]:
        """Forms of four and more letters with one syllable misheard, lost or added."""
        return [
            _Found(start, end, form, likeness)
            for start, end, form, likeness in self._misheard.find(heard.letters, codes)
            if end - start != len(form.text) or not _is_grammar(heard.letters[start:end], form.text)
        ]

    def _grow(
        self, heard: Stream, names: Sequence[str], text: str, end: int
    ) -> tuple[tuple[str, ...], int]:
        """Follow the letters after *end* into the rest of each name; keep the names that go furthest."""
        best: list[str] = []
        best_end = end
        for name in names:
            bare = self._bare.get(name, name)
            place = bare.find(text)
            reach = end
            if place >= 0:
                reach = follow(heard, end, bare[place + len(text) :])
            if reach > best_end:
                best, best_end = [name], reach
            elif reach == best_end:
                best.append(name)
        return tuple(best), legal_end(heard, best_end)

    def _judge(self, heard: Stream, one: _Found) -> Hit | None:
        """Whether a form found is a name meant, and whose."""
        names = _strongest(one.form.owners)
        strength = one.form.owners[0][1]
        for _, other in one.form.owners:
            if _STRENGTH_SCORE[other] > _STRENGTH_SCORE[strength]:
                strength = other
        everyone = tuple(owner for owner, _ in one.form.owners)
        exact = one.likeness == 1.0
        if (
            one.start
            and heard.letters[one.start - 1] in _COUNTING
            and one.form.text[0] in _COUNTING
        ):
            return None  # 三百三 holds no 百三
        grown, end = self._grow(heard, everyone, one.form.text, one.end)
        longer = end > one.end and legal_end(heard, one.end) != end
        if longer or (strength in ("core", "weak") and end > one.end):
            names = grown if longer else names
        else:
            end = legal_end(heard, one.end)
        if heard.has_gap(one.start, one.end) and not (exact and one.end - one.start >= 4):
            return None
        if not longer and strength in ("core", "weak") and other_trade(heard, one.end):
            return None
        sure = True
        if self._cautious and not (self._trust and exact and strength in ("full", "base")):
            verdict = believe(
                heard, (one.start, one.end), end,
                exact=exact, strength=strength, longer=longer, owners=len(names),
            )  # fmt: skip
            if verdict is None:
                return None
            sure = verdict
        score = _STRENGTH_SCORE[strength] + (
            0.05 if longer and strength in ("core", "weak") else 0.0
        )
        score *= one.likeness if not exact else 1.0
        return Hit(
            span=heard.span(one.start, end), letters=(one.start, end), names=names,
            score=round(min(score, 1.0), 3), exact=exact, sure=sure,
        )  # fmt: skip


def _lengths(table: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """First two letters -> lengths of the entries beginning so."""
    lengths: dict[str, set[int]] = defaultdict(set)
    for text in table:
        lengths[text[:2]].add(len(text))
    return {head: tuple(sorted(known, reverse=True)) for head, known in lengths.items()}


def _strongest(owners: Sequence[tuple[str, Strength]]) -> tuple[str, ...]:
    """A name that is exactly this form beats names of which it is a part; parts are a tie."""
    best = max(_STRENGTH_SCORE[strength] for _, strength in owners)
    if best >= _STRENGTH_SCORE["base"]:
        return tuple(name for name, strength in owners if _STRENGTH_SCORE[strength] == best)
    return tuple(name for name, _ in owners)


def _is_grammar(heard: str, form: str) -> bool:
    """Whether a misheard letter would be a particle or a number, which are heard right: 货的, 3月和."""
    return any(
        one != other and one in _GRAMMAR and not (other in _DIGITS and same(one, other) > _SAME)
        for one, other in zip(heard, form, strict=True)
    )  # 六二零五 is 6205


def _likeness(heard: str, form: str) -> float:
    """Mean likeness by sound, 0 when any syllable differs."""
    values = [same(one, other) for one, other in zip(heard, form, strict=True)]
    mean = sum(values) / len(values)
    return mean if min(values) >= _SAME and mean >= _SOUND_MEAN - 0.03 * (len(values) > 3) else 0.0


def _weight(hit: Hit) -> float:
    """Letters explained; a syllable that was repaired explains nothing."""
    size = hit.letters[1] - hit.letters[0]
    return (size - (hit.score < _SAME)) * hit.score


def _best(hits: list[Hit]) -> list[Hit]:
    """The longest and surest of overlapping hits; hits of one place and score are merged to a tie."""
    ranked = sorted(
        hits, key=lambda hit: (hit.score < 2, -_weight(hit), not hit.sure, hit.letters, hit.names)
    )
    taken: list[Hit] = []
    for hit in ranked:
        clash = [
            one
            for one in taken
            if hit.letters[0] < one.letters[1] and one.letters[0] < hit.letters[1]
        ]
        if not clash:
            taken.append(hit)
            continue
        first = clash[0]
        if len(clash) == 1 and first.letters == hit.letters and first.score == hit.score:
            names = dict.fromkeys((*first.names, *hit.names))
            taken[taken.index(first)] = replace(first, names=tuple(names))
    out = [replace(hit, score=min(hit.score, 1.0)) for hit in taken]
    return sorted(out, key=lambda hit: hit.letters)


__all__ = ["Hit", "NameIndex", "strip_legal"]
