"""One program, both platforms: a rep who is on both, a manager on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.channels.dingtalk import template_files
from tests.contracts.homes import TEMPLATE, dingtalk_settings, wecom_settings
from tests.fakes.dingtalk.server import FakeDingTalk
from tests.fakes.wecom.server import FakeWeCom
from tests.support.program import Program, eventually

HENGJI = "今天去了恒基水泥 赵总说电动闸板阀要十五台 预算三十五万 下周三之前我把报价发给他"
NAMES = ("恒基", "宝丰")
BAOFENG = "下午去了宝丰钢铁 安全阀要三十个 预算二十万 我后天发技术协议"


@dataclass(frozen=True)
class Town:
    """李娜 is on both platforms, 王磊 on WeCom only, 周凯 on DingTalk only."""

    wecom: FakeWeCom
    dingtalk: FakeDingTalk
    program: Program

    def wecom_titles(self, user: str = "lina") -> list[str]:
        return [one.title for one in self.wecom.cards(user)]

    def dingtalk_titles(self, user: str = "ding-lina") -> list[str]:
        return [
            self.dingtalk.card_seen_by(user, one.out_track_id)["title"]
            for one in self.dingtalk.cards_of(user)
        ]

    def buttons(self, user: str, card: str) -> list[str]:
        return [one.text for one in self.dingtalk.buttons(user, card)]

    def press(self, user: str, title: str, button: str) -> None:
        """Tap on the newest DingTalk card with *title*."""
        card = [
            one
            for one in self.dingtalk.cards_of(user)
            if title in self.dingtalk.card_seen_by(user, one.out_track_id)["title"]
        ][-1]
        self.dingtalk.press(user, card.out_track_id, button).wait()

    def tap(self, user: str, title: str, button: str) -> Any:
        """Tap on the newest WeCom card with *title*."""
        card = [one for one in self.wecom.cards(user) if title in one.title][-1]
        return self.wecom.tap(user, card, button).ack()

    def filed(self) -> int:
        return int(self.program.one("SELECT count(*) FROM interaction WHERE withdrawn_at IS NULL"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with FakeWeCom() as wecom, FakeDingTalk() as dingtalk:
        wecom.add_member("wanglei", "王磊", leads=[1])
        wecom.add_member("lina", "李娜", leader="wanglei")
        dingtalk.add_person("ding-lina", "李娜")
        dingtalk.add_person("ding-zhou", "周凯")
        dingtalk.add_template(
            TEMPLATE,
            variables=frozenset(template_files.VARIABLES) | frozenset(template_files.PRIVATE),
            private=frozenset({"canAct"}),
        )
        env = {**wecom_settings(wecom), **dingtalk_settings(dingtalk)}
        env["GENJIN_SPEECH__BACKEND"] = "platform"
        with Program(tmp_path, env) as program:
            program.set_up("wecom", [])
            program.genjin("user", "sync", "--channel", "wecom")
            program.genjin("user", "edit", "李娜", "--dingtalk", "ding-lina")
            program.start()
            dingtalk.wait_connected(1, 30)
            assert wecom.save_callback(f"{program.callback}/wecom").ok
            made = Town(wecom, dingtalk, program)
            _acquainted(made)
            yield made


def _acquainted(town: Town) -> None:
    """李娜 accepts the notice once, on DingTalk."""
    town.dingtalk.say_text("ding-lina", "帮助").wait()
    eventually(town.dingtalk_titles)
    notice = town.dingtalk.last_card("ding-lina")
    town.dingtalk.press("ding-lina", notice.out_track_id, "知道了").wait()
    eventually(lambda: "知道了" not in town.buttons("ding-lina", notice.out_track_id))
    town.program.settle()


def test_one_person_on_both_platforms(town: Town) -> None:
    said = town.dingtalk.say_text("ding-lina", HENGJI).wait()
    for _ in range(3):
        town.dingtalk.again(said).wait()
    eventually(lambda: any("恒基水泥" in one for one in town.dingtalk_titles()))
    town.program.settle()
    assert town.wecom_titles() == []  # the answer goes where the question came from
    town.press("ding-lina", "恒基水泥", "确认入库")
    eventually(lambda: any("已入库｜恒基" in one for one in town.dingtalk_titles()))
    town.program.settle()

    sent = town.wecom.text("lina", BAOFENG).ack()
    for one in town.wecom.again(sent, 3):
        one.ack()
    eventually(lambda: any("宝丰钢铁" in one for one in town.wecom_titles()))
    town.program.settle()
    tapped = town.tap("lina", "宝丰钢铁", "确认入库")
    for one in town.wecom.again(tapped, 3):
        one.ack()
    eventually(lambda: any("已入库｜宝丰" in one for one in town.wecom_titles()))
    town.program.settle()

    assert town.filed() == town.program.one("SELECT count(*) FROM memo") == 2
    assert [len([one for one in town.dingtalk_titles() if name in one]) for name in NAMES] == [1, 0]
    assert [len([one for one in town.wecom_titles() if name in one]) for name in NAMES] == [0, 1]

    # one file: what was said on one platform is known on the other
    before, there = len(town.wecom.texts("lina")), town.dingtalk.texts("ding-lina")
    town.wecom.text("lina", "待办").ack()
    eventually(lambda: any("报价" in one for one in town.wecom.texts("lina")[before:]))
    town.program.settle()
    assert town.dingtalk.texts("ding-lina") == there
    found = town.program.rows("SELECT wecom_id, dingtalk_id FROM person WHERE name = '李娜'")
    assert found == [("lina", "ding-lina")]

    # her manager is on WeCom only, and sees both
    for name in ("恒基水泥有限公司", "宝丰钢铁集团"):
        before = len(town.wecom.inbox("wanglei"))
        town.wecom.text("wanglei", f"查 {name}").ack()
        eventually(lambda before=before: len(town.wecom.inbox("wanglei")) > before)
    town.program.settle()
    assert {one.user for one in town.dingtalk.messages} <= {"ding-lina", ""}

    # doctor, another process, knows how both stand
    told = {one["text"] for one in town.program.findings()}
    assert "长连接已连上" in told
    assert any("最近一次回调" in one for one in told)

    assert town.program.one("SELECT count(*) FROM outbox WHERE state <> 'sent'") == 0
    assert town.wecom.warnings == town.dingtalk.complaints == []
    assert [one for one in town.wecom.calls if one.errcode] == []


def test_who_came_by_the_other_platform_is_somebody_else_for_a_card(town: Town) -> None:
    """周凯 is on DingTalk only; the running program learns of him, and he taps what is not his."""
    first = town.dingtalk.say_text("ding-zhou", "帮助").wait()
    assert first.acked
    town.program.genjin("user", "sync", "--channel", "dingtalk")
    town.dingtalk.say_text("ding-lina", HENGJI).wait()
    eventually(lambda: any("恒基水泥" in one for one in town.dingtalk_titles()))
    town.program.settle()
    card = town.dingtalk.last_card("ding-lina")
    shown = town.dingtalk.buttons("ding-lina", card.out_track_id)
    params = next(one.params for one in shown if one.text == "确认入库")
    town.dingtalk.tap("ding-zhou", card.out_track_id, params, unseen=True).wait()
    eventually(lambda: any("李娜" in one for one in town.dingtalk.texts("ding-zhou")))
    town.program.settle()
    assert town.filed() == 0
    assert town.wecom_titles("lina") == []
