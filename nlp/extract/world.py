"""The company's lists made ready for many memos, kept while they do not change."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nlp.match import Hit, Learned, NameIndex
from nlp.people_words import COMPOUND
from nlp.pinyin import folded, same_sound
from nlp.ports import KnownContact, World
from nlp.text import Stream, stream

_KEPT = 8
_DIGITS = "零一二三四五六七八九"


class Contacts:
    """Everybody the company knows, by the sound of the surname and by the full name."""

    def __init__(self, contacts: Mapping[str, Sequence[KnownContact]]) -> None:
        self._by_surname: dict[str, list[tuple[str, KnownContact]]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        surnames = set()
        for customer, group in contacts.items():
            for one in group:
                if not one.name:
                    continue
                surname = one.name[:2] if one.name[:2] in COMPOUND else one.name[:1]
                surnames.add(surname)
                self._by_surname[folded(surname)].append((customer, one))
                if len(one.name) >= 2:
                    self._by_name[one.name].append(customer)
        self.surnames = frozenset(surnames)
        self._lengths = tuple(sorted({len(name) for name in self._by_name}, reverse=True))

    def alike(self, surname: str) -> list[tuple[str, KnownContact]]:
        """Customer and contact of everybody whose surname sounds like *surname*."""
        return self._by_surname.get(folded(surname), [])

    def named(self, text: str) -> Iterator[tuple[int, int, list[str]]]:
        """Start, end and customers of every full name in *text*."""
        for start in range(len(text) - 1):
            for length in self._lengths:
                customers = self._by_name.get(text[start : start + length])
                if customers and start + length <= len(text):
                    yield start, start + length, customers


@dataclass(frozen=True, slots=True)
class Lists:
    """The indexes of one company, shared by all its people."""

    customers: NameIndex
    products: NameIndex
    rivals: NameIndex
    contacts: Contacts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A world with its indexes, and what its person corrected before (G3)."""

    world: World
    lists: Lists
    learned: tuple[Learned, Learned, Learned]  # of customers, products, rivals

    def contacts_of(self, customer: str) -> Sequence[KnownContact]:
        return self.world.contacts.get(customer, ())

    def find_customers(self, heard: Stream) -> list[Hit]:
        return self.lists.customers.find(heard, self.learned[0])

    def find_products(self, heard: Stream) -> list[Hit]:
        return self.lists.products.find(heard, self.learned[1])

    def find_rivals(self, heard: Stream) -> list[Hit]:
        return self.lists.rivals.find(heard, self.learned[2])


class Worlds:
    """A small cache of indexes.  One company's lists are one object for all its people."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[World, Lists]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, world: World) -> Prepared:
        lists = self._lists(world)
        learned = (
            lists.customers.learn(world.corrections),
            lists.products.learn(world.corrections),
            lists.rivals.learn(world.corrections),
        )
        return Prepared(world, lists, learned)

    def _lists(self, world: World) -> Lists:
        """By the identity of the lists (each kept alive with its entry), else by their content."""
        same: Hashable = tuple(map(id, _parts(world)))
        with self._lock:
            found = self._kept.get(same)
            if found is None:
                content = _content(world)
                found = self._kept.get(content)
        if found is None:
            found = (world, _prepare(world))
            with self._lock:
                self._kept[content] = found
        with self._lock:
            self._kept[same] = (world, found[1])
            self._kept.move_to_end(same)
            while len(self._kept) > _KEPT * 2:
                self._kept.popitem(last=False)
        return found[1]


def _parts(world: World) -> tuple[object, ...]:
    return world.customers, world.contacts, world.products, world.competitors


def _content(world: World) -> Hashable:
    return (
        tuple((name, tuple(shorts)) for name, shorts in world.customers.items()),
        tuple((name, tuple(group)) for name, group in world.contacts.items()),
        tuple(world.products),
        tuple(world.competitors),
    )


def _prepare(world: World) -> Lists:
    products = {name: _product_forms(name, world.products) for name in world.products}
    return Lists(
        NameIndex(world.customers),
        NameIndex(products, shorten=False, cautious=False),
        NameIndex(world.competitors, shorten=True, trust=True),
        Contacts(world.contacts),
    )


_TOO_GENERAL = frozenset(
    [
        "系统",
        "平台",
        "软件",
        "设备",
        "产品",
        "服务",
        "方案",
        "材料",
        "组件",
        "配件",
        "模块",
        "仪器",
        "机器",
        "装置",
        "套装",
        "工具",
        "试剂",
        "附件",
        "制品",
        "用品",
    ]
)


def _product_forms(name: str, catalogue: Sequence[str]) -> tuple[str, ...]:
    """What else a product may be called: without its model, its last words, folded in the middle.

    A form that other entries share is left in: the index then reports a tie.
    """
    letters = stream(name).letters
    forms: dict[str, None] = {}
    words = re.sub(r"[A-Z0-9\-]+", "", letters)
    model = "".join(re.findall(r"[A-Z0-9]+", letters))
    if words != letters and len(words) >= 2:
        forms[words] = None
    if model and len(model) >= 3 and model != letters:
        forms[model] = None
    for part in name.upper().split()[: 1 if " " in name else 0]:
        forms[stream(part).letters] = None  # 悬吊DR of 悬吊DR X5
    for part in re.findall(r"[A-Z]{2,}", name.upper()):
        forms[part] = None  # PLC of PLC控制器 X200
    if len(words) >= 4 and words[-2:] not in _TOO_GENERAL:
        forms[words[-2:]] = None  # 机柜 of 服务器机柜
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
