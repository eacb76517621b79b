"""What is not believed, and what must survive."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nlp.transcribe.engine import Heard
from nlp.transcribe.filters import believed, doubt
from nlp.transcribe.prompt import LEAD, ROOM, prompt
from nlp.transcribe.script import simplified
from nlp.transcribe.settings import FilterSettings
from nlp.transcribe.worker import joined

SETTINGS = FilterSettings()
NAMES = ("恒基水泥", "赵经理", "电动闸板阀", "青松制药")


def heard(text: str, **more: float) -> Heard:
    values = {"avg_logprob": -0.2, "no_speech": 0.01, "compression": 1.0} | more
    return Heard(start_s=0, end_s=1, text=text, **values)


@pytest.mark.parametrize(
    "text",
    [
        "嗯",
        "好的",
        "不对，是下周三",
        "确认",
        "对对对",
        "谢谢大家",
        "12万",
        "恒基水泥，赵经理",
        "OK",
    ],
)
def test_short_replies_survive(text: str) -> None:
    assert doubt(heard(text), SETTINGS, names=NAMES) == ""


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        (heard("他说可以", no_speech=0.9, avg_logprob=-0.8), "no_speech"),
        (heard("他说可以", avg_logprob=-1.5), "unsure"),
        (heard("预算二十万", compression=3.1), "loop"),
        (heard("我们再看看" * 6), "loop"),
        (heard("字幕by索兰娅"), "credits"),
        (heard("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目"), "credits"),
        (heard("Amara.org 社區提供"), "credits"),
        (heard("谢谢观看！", no_speech=0.5), "credits"),
        (heard(LEAD), "prompt"),
        (heard("恒基水泥、赵经理、电动闸板阀"), "prompt"),
    ],
)
def test_what_nobody_said_is_doubted(segment: Heard, why: str) -> None:
    assert doubt(segment, SETTINGS, names=NAMES) == why


def test_a_backend_without_figures_is_still_checked_by_its_words() -> None:
    bare = Heard(start_s=0, end_s=1, text="中文字幕志愿者")
    assert doubt(bare, SETTINGS) == "credits"
    assert doubt(replace(bare, text="预算二十万"), SETTINGS) == ""


def test_the_same_line_again_and_again_is_kept_twice() -> None:
    assert len(believed([heard("好的")] * 5 + [heard("再见")], SETTINGS)) == 3


def test_empty_segments_vanish() -> None:
    assert believed([heard(" ，。")], SETTINGS) == []


def test_each_rule_is_a_setting() -> None:
    off = FilterSettings(credits=False, min_logprob=-9, max_compression=99, no_speech=2)
    assert doubt(heard("字幕by索兰娅", avg_logprob=-2, compression=5), off) == ""


def test_the_prompt_holds_the_first_names_that_fit() -> None:
    many = tuple(f"第{i}客户公司" for i in range(100))
    text = prompt(many)
    assert text.startswith(LEAD + many[0])
    assert len(text) <= ROOM + 1
    assert many[-1] not in text
    assert prompt(()) == ""


def test_traditional_characters_become_simplified() -> None:
    assert simplified("今天拜訪了恆基水泥的趙經理，電動閘板閥報價壹萬").startswith("今天拜访了")
    assert simplified("這個閥門價錢貴") == "这个阀门价钱贵"
    assert simplified("报价12万OK") == "报价12万OK"


def test_segments_join_with_a_comma_only_where_no_mark_is() -> None:
    assert joined(["今天去了", "他说好。", "", "再见"]) == "今天去了，他说好。再见"
