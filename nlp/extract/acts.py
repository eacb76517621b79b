"""The act of a clause: whose it is, whether it counts as promised, and its words."""

from __future__ import annotations

import re
from typing import Literal

from nlp.dates import DateHit
from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.extract.voices import Voice

Who = Literal["us", "customer"]

_MATTERS = re.compile(
    r"付|款|钱|汇|转|结|还|回|复|告诉|通知|会|标|讨论|研究|定|签|章|单|确认|组织|安排|提供|验收|审|批|汇报|请示|试|测|来|参观|立项|提交|发|寄|给|出|完成|配合|约|联系|反馈|带|数据|资料|准备好|开通|拉货|提货|收货|挂网"
)
_DEFERS = re.compile(
    r"等.{1,12}(?:再|才)|再(?:申请|看|说(?!明)|谈|议|考虑|定|等|报(?!价)|商量|研究|联系$)"
)
_PAYS = re.compile(
    r"(?:安排.{0,4}(?:付|款|预付|打)|付款|打款|打过来|付(?:清|预付|定金|尾款)|汇|回复|答复|回话|寄(?:给|回|过来)|发(?:给我|过来)|给(?:我们?|个)(?:答复|回复|准信|消息|结果)|结清|补齐|转)"
)
_DELIVERS = re.compile(
    rf"(?:发|送|寄|给|回复|答复|报价|交|带.{{0,8}}(?:过去|去)|拜访|联系|去|约|打电话|提交|补|换|上门|安装|到货|供货|准备|整理|申请|写|做|出|跟进|问|催|确认|测|演示|培训|过去|签|谈|改|修|请|邀|陪|接|回|到(?=$|[ ,，。])|推到|改到|延到|提前到|弄|拉|收|开始|定稿|完成|搞定|落实|上线|交付|开工|{lex.COLLEAGUE})"
)
_DONE_TODAY = re.compile(
    r"(?:就|(?<!开)会(?!议)|马上|下班前|之?内|今晚|晚上|必须|一定|让|得|要|去(?!了)|前|补|给|发|寄|送|安排|派|到$)"
)
_SAYS_TODAY = re.compile(r"今|刚|^(?:上午|下午|早上|中午|晚上|傍晚)|^[\d一二两三四五六七八九十]+点")
_NARRATES = re.compile(
    r"(?:拜访|见了?|去的|去了|到了|聊|跟.{1,8}(?:通|谈|碰)|打了|打过|接到|收到|来了?电话|刚|来过|来了|参观了|一起吃|路过|签了|说|反馈|发来|发现|没|(?:去|到|跑|拜访|见)Ⓒ)"
)
_STEP = re.compile(
    r"^(?:就|会|要|也|再(?=次)|先|都|我们|我|他们|他|之前|以前|之后|后|前|以内|之内|内|左右|说|最晚|最迟|在|那天|的时候|改到|改成|推到|延到|定在|定到|约在|约好|约了|才能|能|可以|开始(?=.{2})|[ ,，])+(?=.{1})"
)
_TAIL = re.compile(r"(?:吧|啊|呢|的话|了|哈|嘛)$")
_BARE = re.compile(
    r"^(?:再|先|就|会|开始|亲自|重新)*(?:盖好章|整理好|准备好|做好|弄好|打印好|写好|改好)?(?:给|发|寄|送|交|报|带|拿|提供|回复|答复|安排|换|补|出|做)?(?:给|到)?(?:他们|她们|他|她|对方|客户|我们|我|Ⓟ+)?(?:的)?(?:过去|出去|过来|出来|一下|一份|一版|一个|送到|货|样|邮箱|微信|顺丰|快递|出)?(?:了|的|吧|啊)?$"
)
_VERB_ONLY = re.compile(
    r"(给|发|寄|送|交|报|带|拿|提供|回复|答复|安排|换|补|出|做)(?:给|到)?(?:他们|她们|他|她|对方|客户|我们|我)?(?:的)?(?:过去|出去|过来|出来|一下|一份|一版|一个|到)?$"
)
_PART = re.compile(r"Ⓖ+的[\u4e00-\u9fff]{2,6}$")
_WANTED = re.compile(
    r"(?:想要|需要|要求|要(?!求|是|么|不)|催|(?<!我)问(?!了)|还差|缺)(?:我们的?|我的?)?(?:提供|给|发|寄|送|看|先看|出|报)?(?:一份|一个|一下|个|份|他们|他)?(?P<thing>[\u4e00-\u9fffA-Za-z0-9 Ⓖ]{2,12}?)$"
)
_HANGING = re.compile(
    r"^(?:说|反馈|就是|[ ,，])*(?P<thing>[\u4e00-\u9fffA-Za-z0-9Ⓖ]{2,14}?)(?:他|她|他们|客户|对方)?(?:也|还)?(?:要|想要|没收到|没到|没给|没有收到|还没|过期|坏了|有问题)"
)
_ASKED = re.compile(
    r"(?:[让叫要催请](?:我们|我)(?:先|再|尽快)?)(?:给|提供|发|寄|送|出|报|拿|准备|做)(?:他们|他|她)?(?:一份|一个|个|一下|份)?(?P<thing>[\u4e00-\u9fffA-Za-z0-9 Ⓖ]{1,10}?)$"
)
_NO_THING = re.compile(
    r"^(?:每|[\d一二两三四五六七八九十百]+(?:台|套|个|箱|盒|瓶|件|吨|张|支|家))|的$"
)
_NOUN = re.compile(
    r"^(?:我们的|新的|剩下的)?[\u4e00-\u9fffA-Za-z0-9Ⓖ]{0,10}(?:方案|报价单?|合同|资料|样品|样件|报告|图纸|清单|协议|证书|文件|发票|说明书?|参数表?|标书|单子|货)$"
)
_OWN = re.compile(
    r"^(?:那)?(?:我|我们)(?:说|先|就|这边|再)*(?:寄|发|送|给|交|出|做|带|准备)(?:他|她|他们|客户)?(?P<thing>[\u4e00-\u9fffA-Za-z0-9Ⓖ]{2,10}?)(?:过去|出去|给他|给她|过来)?$"
)
_LOOK_BACK = 4


def whose(text: str, voice: Voice, actor: str, *, dated: bool) -> Who | Literal[""]:
    """Whose act the clause tells: by its subject, by to whom, by the verb, then by who acted last."""
    if voice.subject:
        return voice.subject
    to_us, to_them = lex.TO_US.search(text), lex.TO_THEM.search(text)
    if to_us and not to_them:
        return "customer"
    if to_them and not to_us:
        return "us"
    theirs = lex.THEIRS_ONLY.search(text)
    if voice.promised and not voice.speaker:
        return "customer" if theirs else "us"
    if voice.speaker:
        return voice.speaker
    if theirs and not (
        actor == "us" and not re.search(r"付|打款|上会|验收|签字|回款|招标|开标", text)
    ):
        return "customer"
    if (
        actor == "customer"
        and re.search(
            r"(?:付|回(?!访)|答复|定(?!制)|签|批|确认|通知|结果|过来|提供|安排人|开.{0,3}会|来(?:厂|公司|看|审|考察|参观|验|我们|现场))",
            text,
        )
        and not re.search(r"过去|送去|发货|回复他|报价", text)
    ):
        return "customer"
    if dated:
        return "us"
    return "us" if actor == "us" else ("customer" if actor == "customer" else "")


def is_question(scene: Scene, number: int) -> bool:
    clause = scene.clauses[number]
    after = scene.plain[clause.end : clause.end + 1]
    return after in ("?", "？") or bool(
        lex.QUESTION.search(scene.masked[clause.start : clause.end])
    )


def counts(scene: Scene, number: int, voice: Voice, who: Who, days: list[DateHit]) -> bool | None:
    """None when nothing was promised, else whether the promise hangs on a condition."""
    clause = scene.clauses[number]
    text = scene.masked[clause.start : clause.end]
    body = scene.masked[min(voice.body, clause.end) : clause.end]
    verbs = lex.OURS if who == "us" else lex.THEIRS
    if not (verbs.search(body) or verbs.search(text)) or _refused(text):
        return None
    if _DEFERS.search(text) and not (voice.subject == "us" and not voice.speaker):
        return None
    if _is_told(scene, text, voice, days):
        return None
    conditional = bool(lex.CONDITION.search(text)) or _under_condition(scene, number)
    good = (
        _theirs_counts(text, body, voice, days)
        if who == "customer"
        else _ours_counts(text, body, voice, days)
    )
    if not good:
        return None
    if conditional and not (days and (voice.promised or voice.speaker)):
        return None
    return conditional


def _refused(text: str) -> bool:
    return bool(lex.NEGATED.search(text))


def _is_told(scene: Scene, text: str, voice: Voice, days: list[DateHit]) -> bool:
    """Whether the clause tells what happened, though a day is named: 今天见了..., 上午去的."""
    if lex.PAST.search(text) and (not days or _is_done(text)):
        return True
    today = scene.now.date()
    return bool(
        days
        and all(one.due == today and _SAYS_TODAY.search(one.text) for one in days)
        and not voice.promised
        and (_NARRATES.search(text) or not (_DONE_TODAY.search(text) or voice.subject == "us"))
    )


def _is_done(text: str) -> bool:
    return bool(
        re.search(
            r"(?:发|送|寄|付|打|签|交|给|做|换|退|改|到|来)(?:完|好|过去|出去|过来)?了(?=$|[ ,，。])",
            text,
        )
        or re.search(r"已经|^(?:刚|刚刚|刚才)", text)
    ) and not re.search(rf"{lex.DATE}.{{0,12}}(?:就|之前|前|会|要|把)", text)


def _under_condition(scene: Scene, number: int) -> bool:
    """Whether the clause before set a condition for this one."""
    if number == 0 or scene.clauses[number].hard:
        return False
    before = scene.clauses[number - 1]
    text = scene.masked[before.start : before.end]
    return bool(lex.CONDITION.search(text)) and not re.search(r"再|才", text)


def _theirs_counts(text: str, body: str, voice: Voice, days: list[DateHit]) -> bool:
    """A customer's act counts when they said it; a wish for ours does not."""
    if re.search(r"推迟|延后|延期", text):
        return False
    if not voice.promised:
        if not voice.speaker and not lex.TO_US.search(text) and not _MATTERS.search(body):
            return False  # their own plans: 双十一要做活动
        if lex.OURS_ONLY.search(body) and not lex.THEIRS_ONLY.search(body):
            return False  # 园长说放暑假前装好 is their wish for what we do
        if re.match(r".{0,3}(?:希望|想|最好|打算|要求|需要|考虑|要在|得在|等|急|嫌|担心|怕)", body):
            return False
        if re.match(r".{0,2}要(?:答复|回复|结果|报价|方案|货|样|资料|东西|看|我|用|到)", body):
            return False
        if re.search(r"(?:要求|必须|希望).{0,12}", text) and not lex.THEIRS_ONLY.search(body):
            return False
        if lex.STATE.search(text) and not lex.THEIRS_ONLY.search(body):
            return False
    if days or voice.promised:
        return True
    soon = re.search(r"(?:就(?!是)|马上|尽快|回头|会|这就|安排)", text)
    spoken = voice.speaker == "customer" or "说" in text
    return bool(spoken and soon and _PAYS.search(body))


def _ours_counts(text: str, body: str, voice: Voice, days: list[DateHit]) -> bool:
    """Our act counts with a day, or with a word of promise."""
    if (
        voice.speaker == "customer"
        and voice.subject == "us"
        and not voice.promised
        and not re.search(r"约(?:我|了我|好)", text)
    ):
        return False  # they say what we should do
    if (
        not voice.subject
        and not voice.promised
        and re.search(r"必须|务必|一定要|最晚要|得在", text)
    ):
        return False
    if re.search(r"才(?:能|会|有|行)", text) and not voice.promised:
        return False
    if lex.STATE.search(text) and not voice.promised and not _DELIVERS.search(body):
        return False
    if days and re.match(rf"{lex.DATE}+了", text):
        return False
    if days:
        return voice.subject == "us" or voice.promised or bool(_DELIVERS.search(body))
    later = lex.LATER_US.search(text) and voice.subject == "us" and voice.speaker != "customer"
    if lex.CONDITION.search(text) or (voice.caused and not voice.promised):
        return False
    return bool(voice.promised or later)


def act_words(scene: Scene, number: int, voice: Voice) -> str:
    """The act in the memo's words: actor, day and fillers dropped, a missing object added."""
    clause = scene.clauses[number]
    places = [
        place
        for place in range(min(voice.body, clause.end), clause.end)
        if scene.masked[place] != lex.DATE
    ]
    what = "".join(scene.text[place] for place in places).strip(" ,，。、")
    masked = "".join(scene.masked[place] for place in places).strip(" ,，。、")
    step = _STEP.match(masked)
    if step and len(masked) > step.end():
        what, masked = what[step.end() :], masked[step.end() :]
    what = _TAIL.sub("", what).strip()
    if re.search(r"(?:打过来|打给|付|汇|结)", what) and not re.search(r"款|金|钱|账", what):
        money = re.findall(
            r"预付款|货款|尾款|定金|首付|余款|欠款", scene.plain[: clause.start][-40:]
        )
        what += money[-1] if money else ""
    if what and _BARE.match(masked):
        thing = _object(scene, number)
        what = _VERB_ONLY.sub(r"\1", what) + thing if thing else what
    return what


def _object(scene: Scene, number: int) -> str:
    """What was asked for just before: 样品 in 蝶阀要样品 我周五送过去."""
    for back in range(number - 1, max(-1, number - 1 - _LOOK_BACK), -1):
        clause = scene.clauses[back]
        masked = scene.masked[clause.start : clause.end]
        topic = _NOUN.match(masked.strip(" ,，。")) if back == number - 1 else None
        if topic:
            return scene.said(clause.span).strip(" ,，。").removeprefix("我们的")
        own = _OWN.match(masked.strip(" ,，。"))
        if own and back == number - 1:
            at = clause.start + masked.find(own.group())
            return scene.text[at + own.start("thing") : at + own.end("thing")]
        wanted = _WANTED.search(masked.rstrip(" ,，。"))
        lead = _HANGING.match(masked)
        if wanted and not _NO_THING.search(wanted["thing"]):
            begin, end = wanted.span("thing")
            thing = scene.text[clause.start + begin : clause.start + end].strip()
            before = scene.clauses[back - 1] if back and not lead else None
            part = _PART.search(scene.masked, before.start, before.end) if before else None
            if part and len(thing) <= 3:
                return scene.text[part.start() : part.end()] + thing
            if lead and lead.end("thing") <= begin and "的" in lead["thing"]:
                thing = scene.text[clause.start : clause.start + lead.end("thing")] + thing
            return thing
        if lead and not re.match(r"(?:他|她|说|我|客户|对方|但|就|还|也)|.*[不没]", lead["thing"]):
            return scene.text[clause.start : clause.start + lead.end("thing")].strip()
        asked = _ASKED.search(masked.rstrip(" ,，。"))
        if asked:
            begin, end = asked.span("thing")
            return scene.text[clause.start + begin : clause.start + end].strip()
    return ""
