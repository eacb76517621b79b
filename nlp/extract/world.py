"""The company's lists made ready for many memos, kept while they do not change."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from nlp.match import NameIndex
from nlp.pinyin import same_sound
from nlp.ports import KnownContact, World
from nlp.text import stream

_KEPT = 8
_DIGITS = "零一二三四五六七八九"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world and its indexes."""

    world: World
    customers: NameIndex
    products: NameIndex
    rivals: NameIndex

    def contacts_of(self, customer: str) -> Sequence[KnownContact]:
        return self.world.contacts.get(customer, ())


class Worlds:
    """A small cache of prepared worlds, by identity first and by content second."""

    def __init__(self) -> None:
        self._by_content: OrderedDict[Hashable, Prepared] = OrderedDict()
        self._last: tuple[World, Prepared] | None = None
        self._lock = threading.Lock()

    def get(self, world: World) -> Prepared:
        last = self._last
        if last is not None and last[0] is world:
            return last[1]
        key = _key(world)
        with self._lock:
            ready = self._by_content.get(key)
        if ready is None:
            ready = _prepare(world)
        elif ready.world is not world:
            ready = Prepared(world, ready.customers, ready.products, ready.rivals)
        with self._lock:
            self._by_content[key] = ready
            self._by_content.move_to_end(key)
            while len(self._by_content) > _KEPT:
                self._by_content.popitem(last=False)
        self._last = (world, ready)
        return ready


def _key(world: World) -> Hashable:
    """What the indexes are made of.  Contacts are read from the world itself."""
    return (
        tuple((name, tuple(shorts)) for name, shorts in world.customers.items()),
        tuple(world.products),
        tuple(world.competitors),
        tuple(world.corrections.items()),
    )


def _prepare(world: World) -> Prepared:
    products = {name: _product_forms(name, world.products) for name in world.products}
    return Prepared(
        world,
        NameIndex(world.customers, corrections=world.corrections),
        NameIndex(products, shorten=False, cautious=False, corrections=world.corrections),
        NameIndex(world.competitors, shorten=True, trust=True, corrections=world.corrections),
    )


def _product_forms(name: str, catalogue: Sequence[str]) -> tuple[str, ...]:
    """What else a product may be called: without its model, its last words, folded in the middle.

    A form that other entries share is left in: the index then reports a tie.
    """
    letters = stream(name).letters
    forms: dict[str, None] = {}
    words = re.sub(r"[A-Z0-9\-]+", "", letters)
    model = "".join(re.findall(r"[A-Z0-9]+", letters))
    if words != letters and len(words) >= 3:
        forms[words] = None
    if model and len(model) >= 3 and model != letters:
        forms[model] = None
    for spoken in _spoken(letters):
        forms[spoken] = None
        if model:
            forms[spoken[len(words) :] if spoken.startswith(words) else spoken] = None
    base = words if len(words) >= 3 else letters
    if len(base) >= 4:
        for start in range(1, len(base) - 2):
            forms[base[start:]] = None  # 闸板阀 of 电动闸板阀
        for cut in range(2, len(base) - 1):
            for skip in range(cut + 1, len(base)):
                if len(base) - (skip - cut) >= 3:
                    forms[base[:cut] + base[skip:]] = None  # 泡罩机 of 泡罩包装机
    return tuple(one for one in forms if len(one) >= 2 and one != letters)


def _spoken(letters: str) -> list[str]:
    """Models with numbers read as numbers: BS600 -> BS六百."""
    out = []
    if re.search(r"\d", letters):
        out.append(re.sub(r"\d+", lambda match: _read(match.group()), letters))
    return [one for one in out if one != letters]


def _read(digits: str) -> str:
    """A short number as it is read: 600 -> 六百, 12 -> 十二, 1500 -> 一千五."""
    number = int(digits[:9])
    if len(digits) > 4 or digits.startswith("0"):
        return "".join(_DIGITS[int(one)] for one in digits)
    units = ("", "十", "百", "千")
    text = ""
    for place, digit in enumerate(digits):
        unit = units[len(digits) - 1 - place]
        if digit != "0":
            text += _DIGITS[int(digit)] + unit
        elif text and not text.endswith("零") and int(digits[place:]):
            text += "零"
    if 10 <= number < 20:
        text = text.removeprefix("一")
    return text


def sounds_like(left: str, right: str) -> bool:
    return left == right or same_sound(left, right)
