"""What doctor and the set-up page ask: does the app work, and what is missing (sheet 12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from bot.channels.base import ChannelError
from bot.channels.dingtalk.channel import DingTalk
from bot.channels.dingtalk.errors import Finding, PersonUnreachable
from bot.channels.dingtalk.notes import texts

Step = Literal["token", "stream", "departments", "members", "robot"]
_ROOT: Final = 1
_NOBODY: Final = "genjin-nobody"  # a user id that nobody has


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """``finding`` says what is wrong in the words of ``channel_states``; None where that is not
    known better than ``why``."""

    step: Step
    fine: bool
    why: str = ""
    finding: Finding | None = None


async def check(channel: DingTalk) -> list[Checked]:
    """Try everything that costs nothing but a call; the first step that all others need ends it.

    The robot's permission is tried with a message to nobody, which counts as one paid call.
    """
    done = [await _try("token", channel.client.tokens.get)]
    if not done[0].fine:
        return done
    done.append(await _try("stream", channel.stream.try_register))
    below = {"dept_id": _ROOT}
    done.append(
        await _try(
            "departments", lambda: channel.oapi.post("/topapi/v2/department/listsubid", below)
        )
    )
    page = {"dept_id": _ROOT, "cursor": 0, "size": 1}
    done.append(await _try("members", lambda: channel.oapi.post("/topapi/v2/user/list", page)))
    [note] = texts("·")
    done.append(
        await _try("robot", lambda: channel.client.send_to_people([_NOBODY], note.key, note.param))
    )
    return done


async def _try(step: Step, ask: Callable[[], Awaitable[object]]) -> Checked:
    try:
        await ask()
    except PersonUnreachable:
        pass  # the robot was let through as far as the person, who does not exist
    except ChannelError as error:
        finding = getattr(error, "finding", None)
        return Checked(step=step, fine=False, why=str(error), finding=finding)
    return Checked(step=step, fine=True)
