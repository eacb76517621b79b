"""Words of time that stand for a number: how many years, days or hours away they are."""

from __future__ import annotations

from typing import Final

YEARS: Final = {
    "今年": 0, "本年度": 0, "本年": 0, "今年度": 0, "明年": 1, "来年": 1, "次年": 1, "翌年": 1,
    "下一年": 1,
    "后年": 2, "大后年": 3, "去年": -1, "上一年": -1, "前年": -2, "大前年": -3, "旧年": -1,
    "本年内": 0,
}  # fmt: skip
DAYS: Final = {
    "今天": 0, "今日": 0, "今儿个": 0, "今儿": 0, "本日": 0, "今": 0, "明天": 1, "明日": 1,
    "明儿个": 1, "明儿": 1,
    "听日": 1, "次日": 1, "翌日": 1, "明": 1, "后天": 2, "后日": 2, "后儿": 2, "大后天": 3,
    "大大后天": 4,
    "昨天": -1, "昨日": -1, "昨儿": -1, "昨": -1, "前天": -2, "前日": -2, "大前天": -3, "隔天": 1,
    "当日": 0,
}  # fmt: skip
PAIRS: Final = {
    "明后天": (1, 2), "明后两天": (1, 2), "明后": (1, 2), "今明两天": (0, 1), "今明": (0, 1),
    "这两天": (0, 2),
    "这一两天": (0, 2), "一两天内": (0, 2), "这几天": (0, 3), "过两天": (1, 2), "过一两天": (1, 2),
    "过几天": (1, 3),
    "过些天": (1, 5), "过些日子": (1, 10), "这些天": (0, 3), "过几日": (1, 3), "这一两日": (0, 2),
    "两天后天": (1, 2),
    "过个两天": (1, 2), "过个一两天": (1, 2), "过个两三天": (1, 3), "过两三天": (1, 3),
    "过三五天": (1, 5),
}  # fmt: skip
PARTS: Final = {
    "凌晨": "night", "黎明": "night", "清晨": "am", "清早": "am", "一大早": "am", "一早": "am",
    "大早上": "am",
    "早上": "am", "早晨": "am", "早间": "am", "上午": "am", "午前": "am", "早": "am", "晨": "am",
    "中午": "noon",
    "正午": "noon", "午间": "noon", "午后": "pm", "下午": "pm", "晏昼": "pm", "傍晚": "pm",
    "晚上": "pm",
    "晚间": "pm", "夜里": "pm", "夜晚": "pm", "夜间": "pm", "半夜": "pm", "午夜": "pm",
    "深夜": "pm", "晚": "pm",
    "夜": "pm", "下班": "off", "收工": "off", "上班": "on", "全天": "", "一整天": "", "当晚": "pm",
}  # fmt: skip
EDGES: Final = {"末": "底", "尾": "底", "底": "底", "初": "初", "头": "初", "中": "中"}
UNITS: Final = {
    "个工作日": "workday", "工作日": "workday", "天工作日": "workday", "天": "day", "日": "day",
    "个自然日": "day",
    "自然日": "day", "个周": "week", "周": "week", "个星期": "week", "星期": "week",
    "个礼拜": "week", "礼拜": "week",
    "个月": "month", "个季度": "quarter", "年": "year", "个小时": "hour", "小时": "hour",
    "个钟头": "hour",
    "个钟": "hour", "钟头": "hour", "分钟": "minute", "刻钟": "minute15", "秒钟": "second",
    "秒": "second", "个晚上": "day",
    "月": "month", "个周年": "year", "周年": "year",
}  # fmt: skip
DIGIT: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "俩": 2}


def small(text: str) -> int:
    """A count below a hundred, in digits or Chinese; 0 when it is none."""
    if text.isdigit():
        return int(text)
    text = text.replace("廿", "二十")
    left, ten, right = text.partition("十")
    if not ten:
        return DIGIT.get(text, 0)
    return (DIGIT.get(left, 0) if left else 1) * 10 + (DIGIT.get(right, 0) if right else 0)
