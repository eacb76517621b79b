"""Names of a list in recognised speech: misspelt, shortened, or both.

An index is built once per list.  Looking a memo up is dictionary work on its letters and on its
sounds, so a list of twenty thousand names costs no more than one of twenty.  Ties are returned as
ties, never guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nlp.pinyin import folded, folded_variants, same
from nlp.shortnames import LEGAL, TRADES, Strength, short_forms, strip_legal
from nlp.text import Stream, stream
from nlp.words import COMMON, is_common
from sales.facts import Span

_STRENGTH_SCORE: Mapping[Strength, float] = {"full": 1.0, "base": 0.98, "core": 0.92, "weak": 0.75}
_SAME = 0.9  # every syllable at least alike after folding
_SOUND_MEAN = 0.93
_NEAR_MIN, _NEAR_MAX = 4, 14  # lengths of forms that may differ in one syllable
_POSTINGS = 400  # a pair of syllables in more forms than this says nothing
_ENDS_ALONE = frozenset("厂店院园校所社站场局")
_LEFT = re.compile(
    r"(?:去了?|去趟|到了?|来了?|拜访了?|见了?|跑了?|约了?|走访了?|回访了?|联系了?|跟|和|给|找了?|刚从|从|在|陪|来|对|问了?|客户是?|客户叫"
    r"|帮|是|欠|拿下|签了?|另外|还有|然后|上午|下午|今天|昨天|刚才|刚刚|打给|打电话给|的是|推进|查|认领|放弃|查一下|报价|关于|那个|这个)$"
)
_VISIT = re.compile(r"(?:去了?|去趟|到了?|拜访了?|跑了?|走访了?|回访了?|客户是?|客户叫|刚从|联系了?|打给|推进|查|认领|查一下)$")
_RIGHT = re.compile(
    r"(?:那边|这边|那里|这里|他们|公司|集团|那个(?!时)|的?[\u4e00-\u9fffA-Z]{0,5}?(?:总|经理|主任|科长|处长|部长|厂长|院长|校长|园长|所长|局长"
    r"|站长|店长|老板|工(?![作业厂资期艺程人具地单])|工程师|老师|教授|博士|医生|护士长|主管|采购|书记|姐|哥)|的?老[\u4e00-\u9fff]|的?小[\u4e00-\u9fff]"
    r"|的?(?:采购|设备|技术|生产|财务|工程|质量|质检|研发|信息|后勤|总务|检验)[部科处室])"
)
_RIGHT_WEAK = re.compile(r"(?:的|说|要|想|订|那|现在|这次|今天|续费|丢了|换了)")
_NOT_TRADE_AFTER = frozenset("部科处室组员师商")
_CLEAR_TRADE = 2


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


class NameIndex:
    """The forms of a list of names by letters, by sound and by pairs of sounds.

    Args:
        names: registered name -> known short names (or just the names).
        shorten: learn short forms from the registered names (customers do, products do not).
        corrections: heard -> meant; what is meant may be any form of a name (G3).
        cautious: short and common forms need a sign around them (customers in free speech).
        trust: but not a whole name in the right letters (rivals, of which a company has few).
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[str]] | Iterable[str],
        *,
        shorten: bool = True,
        corrections: Mapping[str, str] | None = None,
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
            self._bare[name] = stream(name).letters
            forms = short_forms(name) if shorten else ()
            self._add(name, name, "full")
            for short in known:
                self._add(short, name, "base")
            for form in forms:
                self._add(form.text, name, form.strength)
        self._learned = self._learn(corrections or {})
        self._by_letters = _lengths(self._forms)
        self._sounds: dict[str, list[_Form]] = defaultdict(list)
        self._pairs: dict[str, list[tuple[_Form, int]]] = defaultdict(list)
        for form in self._forms.values():
            for code in folded_variants(form.text):
                self._sounds[code].append(form)
            if _NEAR_MIN <= len(form.text) <= _NEAR_MAX and form.owners[0][1] in ("full", "base"):
                code = folded(form.text)
                for place in range(min(3, len(code) - 1)):
                    self._pairs[code[place : place + 2]].append((form, place))
        self._by_sound = _lengths(self._sounds)

    def _add(self, text: str, name: str, strength: Strength) -> None:
        letters = stream(text).letters
        if len(letters) < 2:
            return
        form = self._forms.setdefault(letters, _Form(letters))
        if all(owner != name for owner, _ in form.owners):
            form.owners.append((name, strength))

    def _learn(self, corrections: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Heard letters -> the names that are meant; unknown ones are left out."""
        out: dict[str, tuple[str, ...]] = {}
        for heard, meant in corrections.items():
            form = self._forms.get(stream(meant).letters)
            letters = stream(heard).letters
            if form is not None and len(letters) >= 2:
                out[letters] = _strongest(form.owners)
        return out

    def named(self, text: str) -> tuple[str, ...]:
        """Names that have *text* as one of their forms, by letters."""
        form = self._forms.get(stream(text).letters)
        return _strongest(form.owners) if form else ()

    def find(self, text: str | Stream) -> list[Hit]:
        """Every name heard in *text*, in order, none overlapping."""
        heard = stream(text) if isinstance(text, str) else text
        if len(heard.letters) < 2 or not (self._forms or self._learned):
            return []
        hits = self._corrected(heard)
        codes = folded(heard.letters)
        found = self._by_dictionary(heard, codes) + self._near(heard, codes)
        for one in found:
            hit = self._judge(heard, one)
            if hit is not None:
                hits.append(hit)
        return _best(hits)

    def _corrected(self, heard: Stream) -> list[Hit]:
        out = []
        for letters, names in self._learned.items():
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
                    likeness = _likeness(letters[start:end], form.text)
                    if likeness:
                        out.append(_Found(start, end, form, likeness))
        return out

    def _near(self, heard: Stream, codes: str) -> list[_Found]:
        """Forms of four and more letters with one syllable misheard, lost or added."""
        out = []
        letters = heard.letters
        seen: set[tuple[int, int]] = set()
        for place in range(len(letters) - 1):
            postings = self._pairs.get(codes[place : place + 2])
            if not postings or len(postings) > _POSTINGS:
                continue
            for form, offset in postings:
                start = place - offset
                for begin in (start, start - 1, start + 1) if offset else (start,):
                    key = (begin, id(form))
                    if begin < 0 or key in seen:
                        continue
                    seen.add(key)
                    found = _one_off(letters, begin, form)
                    if found is not None:
                        out.append(found)
        return out

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
                reach = _follow(heard, end, bare[place + len(text) :])
            if reach > best_end:
                best, best_end = [name], reach
            elif reach == best_end:
                best.append(name)
        return tuple(best), _legal_end(heard, best_end)

    def _judge(self, heard: Stream, one: _Found) -> Hit | None:
        """Whether a form found is a name meant, and whose."""
        names = _strongest(one.form.owners)
        strength = one.form.owners[0][1]
        for _, other in one.form.owners:
            if _STRENGTH_SCORE[other] > _STRENGTH_SCORE[strength]:
                strength = other
        everyone = tuple(owner for owner, _ in one.form.owners)
        exact = one.likeness == 1.0
        grown, end = self._grow(heard, everyone, one.form.text, one.end)
        longer = end > one.end and _legal_end(heard, one.end) != end
        if longer or (strength in ("core", "weak") and end > one.end):
            names = grown if longer else names
        else:
            end = _legal_end(heard, one.end)
        if heard.has_gap(one.start, one.end) and not (exact and one.end - one.start >= 4):
            return None
        if not longer and strength in ("core", "weak") and _other_trade(heard, one.end):
            return None
        sure = True
        if self._cautious and not (self._trust and exact and strength in ("full", "base")):
            verdict = _believe(heard, one, end, strength, longer, len(names))
            if verdict is None:
                return None
            sure = verdict
        score = _STRENGTH_SCORE[strength] + (0.05 if longer and strength in ("core", "weak") else 0.0)
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
    """A name that is exactly this form beats names of which it is a part."""
    best = max(_STRENGTH_SCORE[strength] for _, strength in owners)
    if best >= _STRENGTH_SCORE["base"]:
        return tuple(name for name, strength in owners if _STRENGTH_SCORE[strength] == best)
    return tuple(name for name, strength in owners if strength != "weak") or tuple(
        name for name, _ in owners
    )


def _likeness(heard: str, form: str) -> float:
    """Mean likeness by sound, 0 when any syllable differs."""
    values = [same(one, other) for one, other in zip(heard, form, strict=True)]
    mean = sum(values) / len(values)
    return mean if min(values) >= _SAME and mean >= _SOUND_MEAN - 0.03 * (len(values) > 3) else 0.0


def _one_off(letters: str, start: int, form: _Form) -> _Found | None:
    """*form* at *start* with one syllable near, lost or added; the first two must be right."""
    text = form.text
    size = len(text)
    window = letters[start : start + size]
    if len(window) == size:
        values = [same(one, other) for one, other in zip(window, text, strict=True)]
        bad = [value for value in values if value < _SAME]
        if not bad or (len(bad) == 1 and (bad[0] > 0 or (size > 5 and values[0] and values[1]))):
            if bad and size == _NEAR_MIN and not bad[0]:
                return None
            return _Found(start, start + size, form, round(sum(values) / size - (0.12 if bad else 0.0), 3))
    for skip in range(2, size):  # a syllable lost in speech
        short = text[:skip] + text[skip + 1 :]
        window = letters[start : start + size - 1]
        if size > _NEAR_MIN and len(window) == size - 1 and _all_same(window, short):
            return _Found(start, start + size - 1, form, 0.85)
    for skip in range(1, size):  # one added
        window = letters[start : start + skip] + letters[start + skip + 1 : start + size + 1]
        if len(window) == size and _all_same(window, text):
            return _Found(start, start + size + 1, form, 0.85)
    return None


def _all_same(one: str, other: str) -> bool:
    return all(same(left, right) >= _SAME for left, right in zip(one, other, strict=True))


def _follow(heard: Stream, end: int, rest: str) -> int:
    """How far the letters from *end* on run through *rest* in order, letting parts fall out."""
    place, reach = 0, end
    while reach < len(heard.letters) and not heard.gap[reach]:
        letter = heard.letters[reach]
        at = next((i for i in range(place, len(rest)) if same(letter, rest[i]) >= 0.97), -1)
        if at < 0:
            break
        place, reach = at + 1, reach + 1
    taken = heard.letters[end:reach]
    following = heard.letters[reach : reach + 1]
    if taken and taken[-1] in _ENDS_ALONE and following == "长":
        reach, taken = reach - 1, taken[:-1]  # 厂长 is a person
    if len(taken) == 1 and not (taken in _ENDS_ALONE and taken in rest):
        return end
    return reach


def _legal_end(heard: Stream, end: int) -> int:
    """Take a spoken legal form along: 恒基 + 公司."""
    for form in LEGAL:
        if len(form) >= _CLEAR_TRADE and heard.letters.startswith(form, end):
            if form[-1] in _ENDS_ALONE and heard.letters[end + len(form) : end + len(form) + 1] == "长":
                return end
            return end + len(form) if not any(heard.gap[end : end + len(form)]) else end
    return end


def _other_trade(heard: Stream, end: int) -> bool:
    """Whether a trade word follows that the name does not have: 汇通 + 快递."""
    if end < len(heard.gap) and heard.gap[end]:
        return False
    for length in (4, 3, 2):
        word = heard.letters[end : end + length]
        if word in TRADES and word not in _NOT_OTHER:
            after = heard.letters[end + length : end + length + 1]
            return after not in _NOT_TRADE_AFTER
    return False


_NOT_OTHER = frozenset(["设备", "技术", "采购", "管理", "服务", "工程", "会计", "财务", "设计", "系统", "检验", "检测", "实验", "生产", "销售", "软件", "中心", "信息", "数据", "开发", "仪表", "电气", "工业"])


def _believe(
    heard: Stream, one: _Found, end: int, strength: Strength, longer: bool, owners: int
) -> bool | None:
    """Whether a cautious index believes this place; None not at all, False only with other signs."""
    size = one.end - one.start
    letters = heard.letters
    before, after = letters[max(0, one.start - 5) : one.start], letters[end : end + 9]
    exact = one.likeness == 1.0
    opens = heard.gap[one.start]
    left = opens or bool(_LEFT.search(before))
    visit = bool(_VISIT.search(before))
    strong = bool(_RIGHT.match(after)) or end > one.end
    right = strong or bool(_RIGHT_WEAK.match(after)) or end >= len(letters) or heard.gap[end]
    word = letters[one.start : one.end]
    everyday = is_common(word)
    torn = _torn(heard, one.start, one.end)
    if longer or (exact and size >= 4):
        return True if longer or not everyday else (visit or strong or None)
    if strength == "weak":
        signs = (visit or (left and strong)) and not torn
        return True if signs and exact and owners == 1 and not everyday else (False if signs and exact else None)
    if exact:
        if everyday:
            return True if (visit and right) or (left and strong) else (False if left and right else None)
        if size >= 3:
            return not torn or left or None
        return True if left or strong or not torn else None
    if size >= 4:
        return True
    if size == 3:
        if (left and right) or strong:
            return True
        plain = is_common(word[:2], COMMON // 3) or is_common(word[1:], COMMON // 3)
        return None if torn or plain or is_common(word, 1) else True
    if is_common(word, COMMON // 3):
        return True if strong and (visit or opens) else None
    return True if (strong and (left or not torn)) or (visit and right and not torn) or (
        opens and right and not torn
    ) else (False if left and not torn else None)


def _torn(heard: Stream, start: int, end: int) -> bool:
    """Whether a common word crosses the edge of the place: 上[海纳]税."""
    letters = heard.letters
    left = start > 0 and not heard.gap[start] and is_common(letters[start - 1 : start + 1], 100)
    right = end < len(letters) and not heard.gap[end] and is_common(letters[end - 1 : end + 1], 100)
    return left or right


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
        clash = [one for one in taken if hit.letters[0] < one.letters[1] and one.letters[0] < hit.letters[1]]
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
