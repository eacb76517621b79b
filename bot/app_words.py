"""What a running program says to the person at the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

READY: Final = "跟进已启动。用浏览器打开（只能用一次，30 分钟内有效）：\n{url}\n按 Ctrl+C 停止。"
PORT_TAKEN: Final = "端口 {port} 已被占用。换一个：genjin up --port {other}，或停掉占用它的程序。"
CALLBACK_TAKEN: Final = (
    "回调要用的 {host}:{port} 打不开，多半被别的程序占用。在 config.toml 里改 callback.port"
    "（反向代理也要跟着改），或停掉占用它的程序。"
)
NO_SPEECH: Final = "现在没有语音识别：{why}。录音会保存，装上模型后自动转写；也可以直接打字。"
SPEECH: Final = "语音识别：{backend}，模型 {model}"
SPEECH_LOADING: Final = "语音识别正在启动：{backend}，模型 {model}"


def speech_state(described: Mapping[str, object]) -> str:
    """One line about what hears, from ``Transcriber.describe``."""
    if not described.get("model"):
        return NO_SPEECH.format(why=described.get("detail") or "没有模型")
    state = SPEECH if described.get("ready") else SPEECH_LOADING
    return state.format(backend=described.get("backend"), model=described.get("model"))
