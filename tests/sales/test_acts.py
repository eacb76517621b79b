"""Wordings of one act, and of two that share letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales.acts import same_act

SAME = """
发报价/把报价发过去 给加急方案/把加急方案发过去 给他加急方案/加急方案 发货/把货发出来 发货/货发过去
付定金/把定金付了 付定金/打定金 签合同/合同签下来 签合同/合同回签 寄样品/送样品 开票/把发票开出来
寄发票/把发票寄过去 答复他/给他回复 付款/安排付款 付尾款/打款 发新报价/给他报价单
付定金两万/付定金三万 给排期表/发排期 发材质证明/寄隔膜阀材质证明 去安装/过去装 送两台样机/样机送过去
"""
DIFFERENT = """
发货/开发票 发报价/签合同 发合同/签合同 发样品/发报价 送货/送样 付款/付定金 开会/开发票 验收/收货
安装/安排付款 寄发票/开发票 发样品/寄产品册 给加急方案/给改进方案 发检测报告/发压测报告 发货/到货
发他/送 安排/安排付款 开工/开票 换阀门/发阀门 付货款/发货 的/了
"""
acts = st.lists(
    st.sampled_from(
        [
            "发",
            "送",
            "给",
            "签",
            "开",
            "付",
            "回复",
            "报价",
            "合同",
            "发票",
            "货",
            "样品",
            "过去",
            "把",
            "了",
            "他",
            "两台",
        ]
    ),
    max_size=5,
).map("".join)


@pytest.mark.parametrize("pair", SAME.split())
def test_one_act(pair: str) -> None:
    assert same_act(*pair.split("/"))


@pytest.mark.parametrize("pair", DIFFERENT.split())
def test_two_acts(pair: str) -> None:
    assert not same_act(*pair.split("/"))


@given(acts, acts)
def test_it_does_not_matter_which_was_first(one: str, other: str) -> None:
    assert same_act(one, other) == same_act(other, one)
    assert same_act(one, one)
