"""Sounds: characters as toneless syllables, each syllable one code character.

Recognisers write what they hear, so names are compared by sound.  Coding a syllable as one
character lets plain string slicing and dictionaries do the search.  ``folded`` also merges the
sounds that speakers and recognisers confuse (zh/z, ch/c, sh/s, n/l/r, f/h, -ng/-n).
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import threading
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

# Characters whose second reading is heard in names; rare readings of others only mislead.
_TWO_READINGS = frozenset(
    "长行重乐单朝传都还会降角校系应曾种着参藏差称盛石率强薄调量朴仇查解任贾厦车得和空宁万尉俞翟盖沈折屏弹干好数相省兴便冠分更中卡曲观几佛奇模南娜"
    "柏泊堡泌埔番洞浒侗亳蔚莘郗乘创当处大夫供冲处斗度恶缝号华划间将教结禁据卷露绿落蒙区圈胜识似宿提吐亚咽要叶殷予晕载扎轧占正只转钻作"
)
_MAX_VARIANTS = 8
_FIRST_CODE = 0xE000  # private use area: never part of a memo
_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True)) | {"幺": "一", "〇": "零"}
_INITIALS = (
    "zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x",
    "r", "z", "c", "s", "y", "w",
)  # fmt: skip
_FOLD_INITIAL = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l"}
_FOLD_F = {
    "fa": "hua", "fan": "huan", "fang": "huan", "fei": "hui", "fen": "hun", "feng": "hon",
    "fo": "huo", "fu": "hu", "fou": "hou",
}  # fmt: skip

_codes: dict[str, str] = {}
_lock = threading.Lock()


@cache
def _table() -> dict[int, str]:
    """pypinyin's readings of single characters, without its table of phrases, which costs four times that."""
    package = importlib.util.find_spec("pypinyin")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("pypinyin is not installed")
    place = Path(package.submodule_search_locations[0]) / "pinyin_dict.py"
    spec = importlib.util.spec_from_file_location("genjin_pinyin_dict", place)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"pypinyin has no {place.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table: dict[int, str] = module.pinyin_dict
    return table


@lru_cache(maxsize=20_000)
def readings(char: str) -> tuple[str, ...]:
    """Toneless readings of one character, usual first; the character itself when it has none."""
    char = _DIGITS.get(char, char)
    found = _table().get(ord(char))
    if not found:
        return (char.upper(),)
    seen: list[str] = []
    for one in found.split(","):
        plain = unicodedata.normalize("NFD", one)  # a letter, then its marks
        plain = re.sub("u([\u0300-\u0307\u0309-\u036f]*)\u0308", "v", plain)
        bare = "".join(c for c in plain if "a" <= c <= "z")
        if bare and bare not in seen:
            seen.append(bare)
    kept = 2 if char in _TWO_READINGS else 1
    return tuple(seen[:kept]) or (char,)


def _code(syllable: str) -> str:
    """One character for one syllable; letters and unknown characters stand for themselves."""
    if len(syllable) == 1 and not ("a" <= syllable <= "z"):
        return syllable
    code = _codes.get(syllable)
    if code is None:
        with _lock:  # two threads must not give one code to two syllables
            code = _codes.setdefault(syllable, chr(_FIRST_CODE + len(_codes)))
    return code


@cache
def split(syllable: str) -> tuple[str, str]:
    """Initial and final of a toneless syllable: shuang -> sh, uang."""
    for initial in _INITIALS:
        if syllable.startswith(initial):
            return initial, syllable[len(initial) :]
    return "", syllable


@cache
def fold(syllable: str) -> str:
    """The syllable with the usual confusions merged."""
    if syllable in _FOLD_F:
        return _FOLD_F[syllable]
    initial, final = split(syllable)
    if not initial and len(syllable) == 1 and not ("a" <= syllable <= "z"):
        return syllable
    final = final.removesuffix("g") if final.endswith("ng") else final
    return _FOLD_INITIAL.get(initial, initial) + final


class _Exact(dict[int, str]):
    """Code point -> code of its usual reading, filled as it is asked: a table for ``translate``."""

    def __missing__(self, point: int) -> str:
        self[point] = code = _code(readings(chr(point))[0])
        return code


class _Folded(dict[int, str]):
    """The same with confusions merged."""

    def __missing__(self, point: int) -> str:
        self[point] = code = _code("~" + fold(readings(chr(point))[0]))
        return code


_exact, _folded = _Exact(), _Folded()


def exact(text: str) -> str:
    """*text* as one code per character, by its usual reading."""
    return text.translate(_exact)


def folded(text: str) -> str:
    """*text* as one folded code per character."""
    return text.translate(_folded)


def folded_variants(name: str) -> tuple[str, ...]:
    """Folded codings of *name* under the readings of its characters (at most eight)."""
    if _TWO_READINGS.isdisjoint(name):
        return (folded(name),)
    options = [
        tuple(dict.fromkeys(_code("~" + fold(one)) for one in readings(char))) for char in name
    ]
    return tuple(
        "".join(one) for one in itertools.islice(itertools.product(*options), _MAX_VARIANTS)
    )


@lru_cache(maxsize=50_000)
def same(left: str, right: str) -> float:
    """Likeness of two characters by sound.

    1 same character, .97 same syllable, .9 same after folding, .5 same initial or final, 0 other.
    """
    if left == right:
        return 1.0
    ours, theirs = readings(left), readings(right)
    if set(ours) & set(theirs):
        return 0.97
    if {fold(one) for one in ours} & {fold(one) for one in theirs}:
        return 0.9
    if _near(fold(ours[0]), fold(theirs[0])):
        return 0.5
    return 0.0


@cache
def _near(left: str, right: str) -> bool:
    (initial_a, final_a), (initial_b, final_b) = split(left), split(right)
    if not final_a or not final_b:
        return False
    return final_a == final_b or (initial_a == initial_b and final_a[0] == final_b[0])


def same_sound(left: str, right: str) -> bool:
    """Whether two words of one length sound alike, tones and usual confusions aside."""
    return len(left) == len(right) and all(
        same(one, other) >= 0.9 for one, other in zip(left, right, strict=True)
    )
