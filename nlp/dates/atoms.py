"""The lexer: folded text to atoms, the words that dates are made of.

One master expression is built from the table ``_PATTERNS``; the first alternative that matches
wins, so longer and more special ones stand first, and ``forms`` reads its groups.  An atom says
only what it looks like; whether it is a date is decided later, with its neighbours in view
(``phrases``, ``vetoes``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from nlp.dates import forms
from nlp.dates.festivals import FESTIVALS
from nlp.dates.lexicon import DAYS, PAIRS, PARTS, YEARS, small
from nlp.dates.model import Atom

_DAY = (
    r"(?:3[01]|[12]\d|0?[1-9](?!\d)|三十一?|二十[一二三四五六七八九]?|"
    r"廿[一二三四五六七八九]?|十[一二三四五六七八九]?|[一二三四五六七八九])"
)
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
# Bounded: a long run of digits would be tried from each of its places to its end.
_COUNT = r"(?:\d{1,6}(?:\.\d{1,6})?|[零一二两俩三四五六七八九十百]{1,9}几?|[几数][十百]|[半几])"
_CNY = r"[零一二三四五六七八九]"
_WEEK = r"(?:周|星期|礼拜)"
_WD = r"[一二三四五六日天末]|[1-6](?![\d.:%点个])"
_BARE_MONTH = r"(?<![个\d零一二三四五六七八九十本这当下上])"
_BARE_YEAR = r"(?<![\d零一二三四五六七八九十两几半今明去前后本每当])"
_NEXT = r"下下下|下下|下|上上上|上上|上|本|这|今|当"
_ONE = r"一个|一|个"


def _alt(words: object) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))  # type: ignore[call-overload]


_PATTERNS: Final[tuple[tuple[str, str, Callable[[re.Match[str]], Atom | None]], ...]] = (
    ("K_iso", r"(?<![\d.])(?P<iso>(?:19|20)\d\d(?P<sep>[-/.]|[ ])(?:\d{1,2}(?P=sep)\d{1,2})"
    r")(?![\d])", forms.iso),
    ("K_tight", r"(?<![\d.])(?P<tight>(?:19|20)\d\d-\d\d-\d\d)(?=-?\d\d:)", forms.iso_run),
    ("K_mdy", r"(?<!\d)(?P<mdy>\d{1,2}/\d{1,2}/(?:19|20)\d\d)(?!\d)", forms.mdy),
    ("K_ymd", r"(?<![\d-])(?P<ymd>\d\d-\d{1,2}-\d{1,2})(?![\d-])", forms.ymd),
    ("K_md", r"(?<![A-Za-z0-9_.\-/:])(?P<md>\d{1,2}[/·]\d{1,2}|\d\d-\d\d|"
    r"\d{1,2}\.\d{1,2}(?=[之以]前|前(?!台)|号|截止|上午|下午|晚))(?![\d./\-%a-zA-Z])", forms.md),
    ("K_months", rf"(?<!\d)(?P<ms_from>{_MONTH})月?份?[到至~-](?P<ms_to>{_MONTH})"
    rf"(?=月(?!{_DAY}))月份?", forms.months),
    ("K_years", r"(?<!\d)(?P<yr_from>(?:19|20)\d\d)年?[ ]?[到至~-][ ]?(?P<yr_to>(?:19|20)"
    r"\d\d)(?:年(?![度]?[\d一二三四五六七八九十])|(?![\d年.-]))", forms.years),
    ("K_year", rf"(?<!\d)(?P<year>(?:(?:19|20)\d\d|[一二]{_CNY}{{3}}|两千|\d\d|{_CNY}{{2}})"
    rf"年)", forms.year),
    ("K_relyear", rf"(?P<ry>{_alt(YEARS)})", lambda m: forms.at("year", m, YEARS[m["ry"]], word="rel")),
    ("K_half", r"(?P<half>(?:[上下]个?|前|后)半年)", forms.half),
    (
        "K_quarter",
        rf"(?:(?P<q_rel>{_NEXT})(?:{_ONE})?季度?|前(?P<q_first>[一二两三123])个?季度|"
        rf"第?(?P<q_n>[一二三四1-4])个?季度"
        r"|(?<![A-Za-z0-9])[qQ](?P<q_q>[1-4])(?![0-9a-zA-Z]|系列|型|款|版|的?(?:泵|机|阀)))",
        forms.quarter,
    ),
    (
        "K_nspan",
        rf"(?<=[年月度季的])(?P<ns_at>前|后|头|最后)(?P<ns_n>{_COUNT})(?P<ns_unit>天|日|"
        rf"个?星期|周|个?月)",
        forms.nspan,
    ),
    (
        "K_dur",
        rf"(?<![第\d.])(?P<u_n>{_COUNT})(?P<u_more>多|来|余|个多(?=月|小时|星期|礼拜)"
        rf")?(?P<u_mid>个半(?=月|小时|钟|星期|礼拜))?"
        r"(?P<u_unit>个?工作日|天工作日|个?自然日|个?星期(?![一二三四五六日天末])|"
        r"个?礼拜(?![一二三四五六日天末])|个?周年?(?![一二三四五六日天末](?!天))"
        r"|个月|(?:(?<=[两俩几])|(?<=个半)|(?<=个多))月|个季度|个?小时|个钟头?|钟头|分钟|"
        r"刻钟|秒钟?|天|年)"
        r"(?P<u_half>半(?![年月天]))?",
        forms.duration,
    ),
    ("K_durday", rf"(?<![第\d.月])(?P<du_n>{_COUNT})日(?=[之以]?内(?!部)|[之以]?后|"
    rf"[之以]?前)", forms.duration_days),
    ("K_halfmonth", r"(?P<hm>半个?月|半年|半个?小时|半个?钟头?|半天|大半个月|"
    r"小半个月)", forms.half_span),
    (
        "K_month",
        rf"(?:(?P<m_rel>{_NEXT})(?:{_ONE})?月份?|(?P<m_moon>正月(?![朔正])|腊月|冬月)|(?<![\d.])"
        rf"(?P<m_n>{_MONTH})月份?)",
        forms.month,
    ),
    (
        "K_inside",
        rf"(?P<in_unit>{_BARE_MONTH}月|{_BARE_YEAR}年|(?<![一二三四两几个\d])(?:季度|周))"
        rf"(?:[之以]?内)(?![部容存外])",
        lambda m: forms.at("inside", m, word=m["in_unit"]),
    ),
    ("K_season", r"(?P<season>暑假|暑期|寒假)", lambda m: forms.at("season", m, word=m["season"])),
    (
        "K_edge",
        r"(?P<e_unit>(?<![个\d零一二三四五六七八九十])月|"
        r"(?<![\d零一二三四五六七八九十今明去前后本每当])年|季度?|(?<=[月年度季份])|(?<=的)"
        r"|(?<![\u4e00-\u9fff])(?=[上中下]旬)|(?<=[在到等])(?=[上中下]旬))"
        r"(?P<e_word>中上旬|中下旬|上旬|中旬|下旬|底|末|初(?![一二三四五六七八九十])|尾|头|"
        r"中(?![标心国学文间秋午药介断转大小上下期型]))",
        forms.edge,
    ),
    (
        "K_halfweek",
        rf"(?P<hw>[上下前后]半(?:{_WEEK}))",
        forms.half_week,
    ),
    (
        "K_week",
        rf"(?<![早晚以网线海路马楼])(?P<w_rel>{_NEXT})(?:{_ONE})?{_WEEK}"
        rf"(?:(?:的?{_WEEK})(?P<w_day2>{_WD})|(?P<w_day>{_WD})(?![个家次台套位名件轮场]|天(?!津)))?"
        rf"(?:(?<=[一二三四五六])[、到至~-]?{_WEEK}?(?P<w_to>[二三四五六日天](?![个家次台套"
        rf"位点天十百千万])))?",
        forms.week,
    ),
    (
        "K_weekday",
        rf"(?<![一二两三四五六七八九十几半每逢\d.]){_WEEK}(?P<wd>{_WD})"
        rf"(?:(?<=[一二三四五六])[、到至~-]?{_WEEK}?(?P<wd_to>[二三四五六日天](?![个家次台"
        rf"套位点天十百千万])))?",
        forms.weekday,
    ),
    ("K_relpair", rf"(?P<rp>{_alt(PAIRS)})", forms.relpair),
    (
        "K_relday",
        rf"(?P<rd>{_alt(w for w in DAYS if len(w) > 1)}|[今明昨](?=早|晚|晨|夜|上午|下午|"
        rf"中午))(?<!以后天)(?<!之后天)(?<!今后天)",
        forms.relday,
    ),
    (
        "K_nth",
        r"(?:第(?P<n_n>\d{1,3}|[一二三四五六七八九十]{1,3})|(?P<n_last>最后)一?)(?:个)?"
        r"(?:(?:周|星期|礼拜)(?P<n_wd>[一二三四五六日天])|(?P<n_unit>周|星期|礼拜|天|月|工作日))",
        forms.nth,
    ),
    (
        "K_day",
        rf"(?<![\d.第])(?:(?P<d_pair>(?:二?十)?[一二三四五六七八][二三四五六七八九])[号日]|"
        rf"(?P<d_from>{_DAY})[号日]?[、到至~-](?P<d_to>{_DAY})[号日]|(?P<d_n>{_DAY})[号日])",
        forms.day,
    ),
    ("K_dayraw", rf"(?<=[月初])(?P<dr>{_DAY})(?![\d.]?[\d.%]|"
    rf"[个天多几万千百十点折元块台套人次分年月周:])", lambda m: forms.at("dayraw", m, small(m["dr"]))),
    ("K_first", r"初(?P<ch>十|[一二三四五六七八九])"
    r"(?![中高])", lambda m: forms.at("moonday", m, small(m["ch"]))),
    (
        "K_clock",
        r"(?<![\d:.])(?:(?P<c_h>\d{1,2}):(?P<c_m>[0-5]\d)(?::[0-5]\d)?(?!\d)"
        r" ?(?P<c_ap>[aApP][mM]?(?![a-zA-Z]))?"
        r"|(?:(?P<c_pair>[一二两三四五六七八九](?=[二三四五六七八九十]点))"
        r")?(?P<c_hour>\d{1,2}|零|十[一二]?|二十[一二三四]?|[一二两三四五六七八九])"
        r"[点时](?![.\d]\d?[万亿%米]|[零一二三四五六七八九]{1,3}(?:[万亿米%折倍吨千]|个点|公斤))"
        r"(?P<c_tail>钟|整|半|[一三13]刻钟?|(?P<c_min>零[一二三四五六七八九]|"
        r"[二三四五]?十[一二三四五六七八九]?|[0-5]\d|[一二三四五六七八九](?=分(?!之)))分?(?!之))?)",
        forms.clock,
    ),
    ("K_festival", rf"(?<![\dA-Za-z.])(?P<fest>{_alt(FESTIVALS)})(?![\d.])", forms.festival),
    ("K_break", r"(?P<brk>(?<![春季调细环关情礼时章音过])节(?=前|后|假)|长假|"
    r"小长假)", lambda m: forms.at("break", m)),
    ("K_newyear", r"(?P<ny>(?<![\d零一二三四五六七八九十两几半多今明去前后本每当大成青少老"
    r"中童壮往常近历全整周学财同旧那这])年(?=[之以]?前|[之以]?后)|过完年|"
    r"过了年)", lambda m: forms.at("newyear", m, word=m["ny"])),
    ("K_part", rf"(?P<pt>{_alt(w for w in PARTS if len(w) > 1)}|(?<=[今明昨])[早晚晨夜]|"
    rf"(?:(?<=[号日天])|(?<=[周期拜][一二三四五六]))[早晚](?![会期点饭班]))", forms.part),
    ("K_lead", r"(?P<ld>农历|阴历|旧历|大年|公历|阳历)", lambda m: forms.at("lead", m, word=m["ld"])),
)  # fmt: skip


# With what letters an atom may begin: one place in five of a memo, so that the expression is not
# even tried at the others.  A test derives them from the expression and compares.
FIRST: Final = (
    "0123456789Qq一七万三上下东两中主九乞二五今仲俩傍儿元光全八公六农冬凌几初前劳十升午半去双受后听周四国圣基复夏夜大头女"
    "妇季寒小尾平年底建廿当忏情惊愚感收教数新旧早明星春昨晏晚晨暑最月末本来棕植次正母沈消深清濯煎父百礼秋立端第翌耶腊节"
    "芒过这重长阳阴除隔零青鬼黎"
)
WORDS: Final = "|".join(f"(?P<{name}>{pattern})" for name, pattern, _ in _PATTERNS)
_MASTER: Final = re.compile(f"(?=[{FIRST}])(?:{WORDS})")
_BUILD: Final = {name: build for name, _, build in _PATTERNS}


def read_atoms(text: str) -> list[Atom]:
    """The atoms of folded *text*, left to right, none overlapping."""
    return list(_read_atoms(text))


@lru_cache(maxsize=16)  # sums and dates of one memo are read from the same letters
def _read_atoms(text: str) -> tuple[Atom, ...]:
    atoms: list[Atom] = []
    for m in _MASTER.finditer(text):
        name = m.lastgroup
        atom = _BUILD[name](m) if name else None
        if atom is not None:
            atoms.append(atom)
    return tuple(atoms)
