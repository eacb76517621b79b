"""Cards on both platforms: every limit of the message sheet, section 1, for three sizes of data."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering import dingtalk, limits, wecom
from handlers.cards.model import Button, Card, Choice, Link, Question, Row

NONCE = "n0nce1234567"
CARD_ID = "memo-confirm-0123456789ab"
OK, EDIT, DROP = (
    Button(text="确认入库", action="memo.ok"),
    Button(text="修改", action="memo.edit"),
    Button(text="作废", action="memo.drop"),
)
NAME28 = "浙江省杭州市余杭区星河智能装备精密机械制造股份有限公司"
BODY = "语音自动整理，请核对；“待核”是没听准的。点“确认入库”前不会写进客户档案。"
RARE = "𠮷䶮㛃"


def confirm(size: str) -> Card:
    """M1 with the shortest, typical and longest data."""
    if size == "shortest":
        return Card(
            kind="memo.confirm",
            layout="buttons",
            source="销售助手",
            title="这样记对吗？",
            text="【纪要】",
            buttons=(OK,),
        )
    if size == "typical":
        name, amount, due = "星河科技", "120 万（待核）", "11-25 周三前 发报价"
    else:
        name, amount, due = NAME28, "1.23 亿（待核）", f"2026-12-31 周四 {RARE}去{NAME28}签合同"
    return Card(
        kind="memo.confirm",
        layout="buttons",
        source="销售助手·语音纪要",
        title=f"{name}｜这样记对吗？",
        subtitle="语音 1分32秒 · 11-20 14:05",
        quote_title="听到的原话",
        quote="…预算大概一百二十万，下周三之前要看到报价，赵总拍板。"
        * (1 if size == "typical" else 9),
        rows=(
            Row(key="客户", value=name, url="/c/1"),
            Row(key="商机", value="MES 二期" if size == "typical" else f"{NAME28} MES 二期"),
            Row(key="金额", value=amount, old="100 万"),
            Row(key="阶段", value="需求确认 → 方案报价"),
            Row(
                key="决策人",
                value="赵总（总经理）" if size == "typical" else "欧阳慕容司徒（总经理）",
            ),
            Row(key="下一步", value=due, old="11-24 周二前 发报价", source="下周三之前"),
        )
        + (() if size == "typical" else (Row(key="异议类别们", value="价格"),) * 3),
        body=BODY * (1 if size == "typical" else 5),
        text="【纪要】",
        buttons=(OK, EDIT, DROP) if size == "typical" else (OK, EDIT, DROP, OK),
        url="/go/abcdefghijkl",
    )


def form(size: str) -> Card:
    count = {"shortest": 1, "typical": 3, "longest": 14}[size]
    choices = tuple(
        Choice(id=f"c{n}", text=f"{NAME28}{n}" if size == "longest" else f"客户{n}")
        for n in range(count)
    )
    questions = tuple(
        Question(
            id=f"q{n}", title="客户是哪一家" * count, choices=choices, selected=f"c{count - 1}"
        )
        for n in range(count)
    )
    return Card(
        kind="memo.edit",
        layout="form",
        source="销售助手·语音纪要",
        title=f"{NAME28 if size == 'longest' else '星河科技'}｜改哪几项？",
        subtitle="金额等直接回复，如：金额 100万",
        text="改哪几项？",
        questions=(
            *questions,
            Question(id="amount", title="金额", entry="number", value="1200000"),
        ),
        submit=Button(text="保存并入库", action="memo.save"),
    )


def checklist(size: str) -> Card:
    count = {"shortest": 1, "typical": 3, "longest": 30}[size]
    return Card(
        kind="task.overdue",
        layout="checklist",
        source="销售助手·待办",
        title=f"{count} 件事逾期，最久 4 天",
        subtitle="勾上已做完的，再点“提交”",
        text="逾期",
        tone="alarm",
        questions=(
            Question(
                id="done",
                title="做完的",
                multiple=True,
                choices=(
                    *(Choice(id=str(n), text="星河科技精密 发报价 超2天") for n in range(count)),
                    Choice(id="rest", text="没勾的改到明天"),
                ),
            ),
        ),
        submit=Button(text="提交", action="task.batch"),
    )


def notice(size: str) -> Card:
    longest = size == "longest"
    return Card(
        kind="memo.confirm",
        layout="notice",
        source="销售助手·语音纪要",
        title=f"已入库｜{NAME28 if longest else '星河科技'}",
        subtitle="" if size == "shortest" else "李娜 11-20 14:09 确认",
        footer="欧阳慕容司徒 2026-12-31 14:09 确认" if longest else "李娜 11-20 14:09 确认",
        big="98.4 万",
        big_note="可按此价报，至 11-27",
        rows=()
        if size == "shortest"
        else (Row(key="阶段", value="方案报价", old="需求确认"),) * (9 if longest else 2),
        text="已入库",
        tone="done",
        status="done",
        links=()
        if size == "shortest"
        else (
            Link(text="看这条跟进记录", url="/m/1"),
            Link(text="10 分钟内可撤回，点这里", url="/m/1"),
        )
        * 3,
    )


def news(size: str) -> Card:
    return Card(
        kind="phi.weekly",
        layout="news",
        source="销售助手·周报",
        title="第 47 周过程健康度 72 分，降 5",
        text="周报",
        rows=tuple(
            Row(
                key="为什么降",
                value="3 单在“方案报价”停留超过 14 天；" * (12 if size == "longest" else 1),
            )
            for _ in range(1 if size == "shortest" else 6)
        ),
        links=(Link(text="打开健康看板", url="/phi"),),
        url="/phi",
        buttons=(Button(text="改到 09:30 发", action="digest.later"),),
    )


MAKERS = {make.__name__: make for make in (confirm, form, checklist, notice, news)}
SIZES = ("shortest", "typical", "longest")
CASES = [(kind, size) for kind in MAKERS for size in SIZES]


def wecom_payload(card: Card, image_url: str = "https://bot.example.com/i/1.png") -> dict[str, Any]:
    return wecom.render(
        card, card_id=CARD_ID, nonce=NONCE, base_url="https://bot.example.com", image_url=image_url
    )


def ding_payload(card: Card) -> dict[str, str]:
    return dingtalk.render(card, card_id=CARD_ID, nonce=NONCE, base_url="https://bot.example.com")


REQUIRED = {
    "button_interaction": {"task_id", "button_list"},
    "text_notice": {"card_action"},
    "multiple_interaction": {"task_id", "select_list", "submit_button"},
    "vote_interaction": {"task_id", "checkbox", "submit_button"},
    "news_notice": {"card_action", "card_image"},
}


def check_wecom(payload: dict[str, Any]) -> None:
    assert [one for one in limits.measure(payload) if one.over] == []
    assert REQUIRED[payload["card_type"]] <= payload.keys()
    assert payload["main_title"]["title"]
    if "task_id" in payload:
        assert re.fullmatch(r"[0-9A-Za-z_@-]{1,128}", payload["task_id"])
    keys = re.findall(r'"key": "([^"]+)"', json.dumps(payload))
    assert len(keys) == len(set(keys))
    if "action_menu" in payload:
        assert payload["task_id"]


def check_ding(payload: dict[str, str]) -> None:
    assert all(isinstance(value, str) for value in payload.values())
    assert [one for one in limits.measure(payload) if one.over] == []
    assert isinstance(json.loads(payload["rows"]), list)
    if payload["form"]:
        json.loads(payload["form"])


@pytest.mark.parametrize(("kind", "size"), CASES)
def test_every_size_of_every_card_fits_both_platforms(kind: str, size: str) -> None:
    card = MAKERS[kind](size)
    if kind == "confirm" and size == "longest":
        card = Card.from_dict({**card.to_dict(), "buttons": card.to_dict()["buttons"][:3]})
    check_wecom(wecom_payload(card))
    check_wecom(wecom_payload(card, image_url=""))
    check_ding(ding_payload(card))


def test_confirm_card_on_wecom_word_for_word() -> None:
    payload = wecom_payload(confirm("typical"))
    assert payload == {
        "card_type": "button_interaction",
        "source": {"desc": "销售助手·语音纪要", "desc_color": 0},
        "main_title": {"title": "星河科技｜这样记对吗？", "desc": "语音 1分32秒 · 11-20 14:05"},
        "quote_area": {
            "type": 0,
            "title": "听到的原话",
            "quote_text": "…预算大概一百二十万，下周三之前要看到报价，赵总拍板。",
        },
        "sub_title_text": BODY,
        "horizontal_content_list": [
            {
                "keyname": "客户",
                "value": "星河科技",
                "type": 1,
                "url": "https://bot.example.com/c/1",
            },
            {"keyname": "商机", "value": "MES 二期"},
            {"keyname": "金额", "value": "120 万（待核）（原 100 万）"},
            {"keyname": "阶段", "value": "需求确认 → 方案报价"},
            {"keyname": "决策人", "value": "赵总（总经理）"},
            {"keyname": "下一步", "value": "11-25 周三前 发报价（原 11-24 周二前）"},
        ],
        "task_id": "memo-confirm-0123456789ab-1",
        "button_list": [
            {"type": 0, "text": "确认入库", "style": 1, "key": f"memo.ok|{NONCE}"},
            {"type": 0, "text": "修改", "style": 2, "key": f"memo.edit|{NONCE}"},
            {"type": 0, "text": "作废", "style": 3, "key": f"memo.drop|{NONCE}"},
        ],
        "card_action": {"type": 1, "url": "https://bot.example.com/go/abcdefghijkl"},
    }


def test_confirm_card_on_dingtalk_word_for_word() -> None:
    payload = ding_payload(confirm("typical"))
    rows = json.loads(payload.pop("rows"))
    assert rows[0] == {"k": "客户", "v": "星河科技", "url": "https://bot.example.com/c/1"}
    assert rows[2] == {"k": "金额", "v": "120 万（待核）", "old": "100 万"}
    assert payload == {
        "src": "销售助手·语音纪要",
        "title": "星河科技｜这样记对吗？",
        "desc": "语音 1分32秒 · 11-20 14:05",
        "body": f"听到的原话：…预算大概一百二十万，下周三之前要看到报价，赵总拍板。\n{BODY}",
        "foot": "",
        "status": "pending",
        "form": "",
        "url": "https://bot.example.com/go/abcdefghijkl",
        "big": "",
        "big_note": "",
        "img": "",
        "btn1": "确认入库",
        "p1": f'{{"a":"memo.ok","n":"{NONCE}"}}',
        "btn2": "修改",
        "p2": f'{{"a":"memo.edit","n":"{NONCE}"}}',
        "btn3": "作废",
        "p3": f'{{"a":"memo.drop","n":"{NONCE}"}}',
    }


def test_a_decided_card_has_nothing_to_tap() -> None:
    payload = wecom_payload(notice("typical"))
    assert payload["card_type"] == "text_notice"
    assert payload["source"]["desc_color"] == 3
    assert payload["main_title"]["desc"] == "李娜 11-20 14:09 确认"
    assert "button_list" not in payload
    ding = ding_payload(notice("typical"))
    assert (ding["status"], ding["btn1"], ding["p1"], ding["btn2"]) == ("done", "已入库", "", "")
    assert ding["foot"] == "李娜 11-20 14:09 确认"


def test_too_many_rows_point_to_the_page() -> None:
    rows = wecom_payload(confirm("longest"))["horizontal_content_list"]
    assert rows[-1] == {
        "keyname": "更多",
        "value": "还有 4 件，点开看",
        "type": 1,
        "url": "https://bot.example.com/go/abcdefghijkl",
    }


def test_the_chosen_option_survives_a_long_list() -> None:
    select = wecom_payload(form("longest"))["select_list"][0]
    assert select["selected_id"] in {option["id"] for option in select["option_list"]}


def test_the_last_check_says_what_happens_to_the_rest() -> None:
    options = wecom_payload(checklist("longest"))["checkbox"]["option_list"]
    assert (len(options), options[-1]["text"]) == (20, "没勾的改到明天")
    assert options[0]["text"] == "星河… 发报价 超2天"


def test_a_dingtalk_form_carries_its_nonce_or_leads_to_the_page() -> None:
    fields = json.loads(ding_payload(form("typical"))["form"])["fields"]
    assert fields[0] == {"name": "n", "type": "TEXT", "hidden": True, "defaultValue": NONCE}
    assert fields[-1] == {
        "name": "amount",
        "label": "金额",
        "type": "NUMBER",
        "defaultValue": "1200000",
    }
    too_long = ding_payload(form("longest"))
    assert too_long["form"] == ""
    assert "点开页面" in too_long["body"]


def test_keys_come_back_as_they_went() -> None:
    button = Button(text="选这家", action="memo.pick", arg="2")
    assert wecom.parse_key(wecom.button_key(button, NONCE)) == wecom.Tap("memo.pick", NONCE, "2")
    assert wecom.card_of(wecom.task_id(CARD_ID, 12)) == CARD_ID
    assert wecom.parse_key("nonsense") == wecom.Tap("nonsense", "", "")


words = st.text(max_size=60) | st.sampled_from(
    [NAME28, "1.23 亿", "2026-12-31 周四", RARE * 20, "0" * 40]
)
rows = st.lists(
    st.builds(
        Row, key=words, value=words, old=words, url=st.sampled_from(["", "/c/1", "/" + "x" * 600])
    ),
    max_size=9,
).map(tuple)
choices = st.lists(words, min_size=1, max_size=24).map(
    lambda texts: tuple(Choice(id=f"c{n}", text=text) for n, text in enumerate(texts))
)
questions = st.lists(choices | st.just(()), max_size=5).map(
    lambda lists: tuple(
        Question(id=f"q{n}", title="问题" * n, choices=one, entry="" if one else "text")
        for n, one in enumerate(lists)
    )
)
cards = st.builds(
    Card,
    kind=st.just("memo.confirm"),
    layout=st.sampled_from(["buttons", "notice", "form", "checklist", "news"]),
    source=words,
    title=words.filter(lambda text: text.strip() != "" and text.isprintable()),
    text=words,
    subtitle=words,
    quote_title=words,
    quote=words,
    rows=rows,
    body=words.map(lambda text: text * 8),
    big=words,
    big_note=words,
    buttons=st.sampled_from([(), (OK,), (OK, EDIT, DROP)]),
    questions=questions,
    submit=st.sampled_from([None, OK]),
    links=st.lists(st.builds(Link, text=words, url=st.just("/m/1")), max_size=5).map(tuple),
    url=st.sampled_from(["", "/go/abc"]),
    tone=st.sampled_from(["plain", "alarm", "done"]),
    status=st.sampled_from(["pending", "working", "done", "expired", "other"]),
    footer=words,
)


@settings(max_examples=200)
@given(cards, st.sampled_from(["", "https://bot.example.com/i.png"]))
def test_no_card_is_ever_over_a_limit(card: Card, image_url: str) -> None:
    check_wecom(wecom_payload(card, image_url))
    check_ding(ding_payload(card))
