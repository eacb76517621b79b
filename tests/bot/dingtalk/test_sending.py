"""Words, files and their ways: webhook, batch and group; what the platform refuses and why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.channels.base import ChannelAway, ChannelError, OutcomeUnknown, Outgoing
from bot.channels.dingtalk.errors import DingTalkError, PersonUnreachable
from storage import outbox
from storage.database import Database
from storage.tables import OutboxRow
from tests.fakes.dingtalk.inbound import PNG
from tests.support.ding_desk import GROUP, DingDesk

BATCH = "/v1.0/robot/oToMessages/batchSend"
SESSION = "/robot/sendBySession"
TOKEN = "/v1.0/oauth2/accessToken"
DENIED = "Forbidden.AccessDenied."


@pytest.fixture
def desk(sqlite_url: str, tmp_path: Path) -> Iterator[DingDesk]:
    db = Database(sqlite_url)
    made = DingDesk(db, tmp_path)
    made.up()
    yield made
    made.close()
    db.close()


# --- the webhook of a chat ------------------------------------------------------------------------


def test_the_webhook_answers_while_it_lives(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办").wait()
    desk.run()
    [shown] = desk.fake.seen("lina")
    assert shown.via == "session"
    assert desk.fake.api_used == 0


def test_a_webhook_five_minutes_before_its_end_is_not_used(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办").wait()
    desk.clock.move(timedelta(minutes=86))
    desk.run()
    assert desk.fake.last("lina").via == "batch"
    assert desk.fake.count(SESSION) == 0


def test_a_webhook_that_died_early_is_left_at_once_and_for_good(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办").wait()
    desk.fake.expire_sessions()
    desk.run()
    desk.send(effect_key="e:2", text="还有一句")
    assert [one.via for one in desk.fake.seen("lina")] == ["batch", "batch"]
    assert desk.fake.count(SESSION) == 1


@pytest.mark.parametrize("fault", ["html", "too fast"])
def test_a_webhook_in_trouble_is_no_reason_to_be_mute(desk: DingDesk, fault: str) -> None:
    desk.fake.say_text("lina", "待办").wait()
    if fault == "html":
        desk.fake.garble(SESSION, status=500)
    else:
        desk.fake.fail(SESSION, 130101)
    desk.run()
    assert desk.fake.last("lina").via == "batch"


def test_a_webhooks_lost_answer_is_not_said_twice_at_once(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办").wait()
    desk.fake.lose_answer(SESSION)
    desk.run()
    assert [state for state, _ in desk.outbox()] == ["sending"]
    assert len(desk.fake.seen("lina")) == 1


def test_twenty_in_a_minute_are_the_webhooks_limit(desk: DingDesk) -> None:
    desk.fake.rules.qps = None
    desk.fake.say_text("lina", "待办").wait()
    desk.run()
    for number in range(24):
        desk.send(effect_key=f"n:{number}", text=f"第 {number} 句")
    ways = [one.via for one in desk.fake.seen("lina")]
    assert (ways.count("session"), ways.count("batch")) == (18, 7)


def test_another_process_finds_the_webhook_in_the_stored_messages(desk: DingDesk) -> None:
    desk.fake.say_text("lina", "待办").wait()
    other = desk.start()
    message = Outgoing(
        effect_key="e:9", kind="text", conversation="dingtalk:lina", user="lina", text="你好"
    )
    desk.call(other.send(message))
    assert desk.fake.last("lina").via == "session"


# --- the API --------------------------------------------------------------------------------------


def test_whoever_never_wrote_gets_it_through_the_api(desk: DingDesk) -> None:
    sent = desk.send(user="wanglei", conversation="dingtalk:wanglei", text="李娜 记了一条")
    shown = desk.fake.last("wanglei")
    assert (shown.key, shown.text) == ("sampleText", "李娜 记了一条")
    assert sent.platform_id == shown.process_query_key
    assert desk.fake.complaints == []


def test_markdown_keeps_its_lines_and_has_a_title(desk: DingDesk) -> None:
    desk.send("markdown", text="### 团队日报\n到期 18 件\n推进 6 单\n- 一\n- 二")
    shown = desk.fake.last("lina")
    assert shown.content == {
        "title": "团队日报",
        "text": "### 团队日报  \n  到期 18 件  \n  推进 6 单\n- 一\n- 二",
    }


def test_a_long_text_goes_in_parts_and_each_part_once(desk: DingDesk) -> None:
    text = "\n".join(f"第 {number} 条：恒基水泥的合同周四前发出" for number in range(900))
    outbox_row(desk, "e:long", text)
    desk.fake.fail(BATCH, f"{DENIED}QpsLimitForApi", status=403)
    with pytest.raises(DingTalkError):
        desk.send(effect_key="e:long", text=text)
    assert desk.fake.seen("lina") == []

    first = desk.fake.count(BATCH)
    desk.send(effect_key="e:long", text=text)
    seen = desk.fake.seen("lina")
    assert len(seen) == desk.fake.count(BATCH) - first > 1
    assert seen[-1].text.endswith(f"（{len(seen)}/{len(seen)}）")
    assert desk.db.read(lambda s: len(outbox.parts_sent(s, "e:long"))) == len(seen)


def test_parts_that_arrived_do_not_go_again(desk: DingDesk) -> None:
    text = "\n".join(f"第 {number} 条：恒基水泥的合同周四前发出" for number in range(900))
    outbox_row(desk, "e:long", text)
    desk.db.write(lambda s: outbox.keep_parts_sent(s, "e:long", ["k1"]))
    sent = desk.send(effect_key="e:long", text=text)
    assert "第 0 条" not in desk.fake.texts("lina")[0]
    assert sent.platform_id.startswith("k1 ")


def outbox_row(desk: DingDesk, key: str, text: str) -> None:
    desk.db.write(
        lambda s: outbox.put(
            s,
            effect_key=key,
            channel="dingtalk",
            conversation="dingtalk:lina",
            person_id=desk.desk.lina,
            user="lina",
            kind="text",
            payload={"text": text},
            now=desk.clock.now(),
        )
    )


def test_a_group_gets_plain_words(desk: DingDesk) -> None:
    desk.send("group", user=GROUP, conversation=f"dingtalk:{GROUP}", text="今日团队：到期 18 件")
    [shown] = desk.fake.seen_in(GROUP)
    assert shown.text == "今日团队：到期 18 件"
    assert desk.call(desk.bot.recall(shown.process_query_key, group=GROUP))
    assert desk.fake.seen_in(GROUP) == []


def test_a_group_without_the_robot_is_a_lasting_refusal(desk: DingDesk) -> None:
    with pytest.raises(ChannelError) as refused:
        desk.send("group", user="cidnone==", conversation="dingtalk:cidnone==", text="你好")
    assert not refused.value.transient


def test_a_message_can_be_taken_back_within_a_day(desk: DingDesk) -> None:
    sent = desk.send(text="说错了")
    assert desk.call(desk.bot.recall(sent.platform_id))
    assert desk.fake.seen("lina") == []
    assert not desk.call(desk.bot.recall(""))
    late = desk.send(effect_key="e:2", text="又说错了")
    desk.clock.move(timedelta(hours=25))
    assert not desk.call(desk.bot.recall(late.platform_id))


def test_the_same_words_to_many_at_once_are_one_paid_call(desk: DingDesk) -> None:
    for number in range(24):
        desk.fake.add_person(f"p{number}", f"某{number}")

    async def all_of_them() -> None:
        await asyncio.gather(
            *(
                desk.bot.send(
                    Outgoing(
                        effect_key=f"n:{number}",
                        kind="text",
                        conversation=f"dingtalk:p{number}",
                        user=f"p{number}",
                        text="系统今晚 22:15 升级",
                    )
                )
                for number in range(24)
            )
        )

    desk.call(all_of_them())
    assert desk.fake.count(BATCH) == 2  # at most twenty in one
    assert all(len(desk.fake.seen(f"p{number}")) == 1 for number in range(24))


def test_one_of_many_who_is_unknown_does_not_keep_the_others_out(desk: DingDesk) -> None:
    async def both() -> list[object]:
        made = [
            Outgoing(
                effect_key=f"n:{user}",
                kind="text",
                conversation=f"dingtalk:{user}",
                user=user,
                text="通知",
            )
            for user in ("lina", "gone")
        ]
        return await asyncio.gather(*map(desk.bot.send, made), return_exceptions=True)

    fine, failed = desk.call(both())
    assert desk.fake.texts("lina") == ["通知"]
    assert not isinstance(fine, Exception)
    assert isinstance(failed, PersonUnreachable)
    assert not failed.transient
    assert desk.problems()["people"] == "out_of_range"

    desk.fake.add_person("gone", "回来的人")
    desk.send(effect_key="n:2", user="gone", conversation="dingtalk:gone", text="通知")
    assert "people" not in desk.problems()


def test_too_much_for_one_person_waits_a_minute(desk: DingDesk) -> None:
    desk.fake.flow_control(["lina"])
    with pytest.raises(DingTalkError) as held:
        desk.send(text="你好")
    assert (held.value.transient, held.value.retry_after_s) == (True, 60.0)
    desk.send(text="你好")
    assert desk.fake.texts("lina") == ["你好"]


# --- files ----------------------------------------------------------------------------------------


def test_a_picture_goes_up_once_for_everybody(desk: DingDesk) -> None:
    sha = desk.desk.media.put(PNG, "chart.png").sha256
    for user in ("lina", "wanglei"):
        desk.send("image", effect_key=f"i:{user}", user=user, media_sha=sha, media_name="chart.png")
    assert [desk.fake.last(user).key for user in ("lina", "wanglei")] == ["sampleImageMsg"] * 2
    assert desk.fake.count("/media/upload") == 1


def test_a_file_that_the_platform_forgot_goes_up_again(desk: DingDesk) -> None:
    sha = desk.desk.media.put(b"PK\x03\x04table", "stages.xlsx").sha256
    desk.send("file", media_sha=sha, media_name="阶段时长.xlsx")
    desk.fake.media.uploads.clear()
    desk.send("file", effect_key="e:2", media_sha=sha, media_name="阶段时长.xlsx")
    assert desk.fake.count("/media/upload") == 2
    assert desk.fake.last("lina").content["fileName"] == "阶段时长.xlsx"


def test_a_file_of_another_kind_goes_inside_a_zip(desk: DingDesk) -> None:
    sha = desk.desk.media.put(b"a,b\n1,2\n", "export.csv").sha256
    desk.send("file", media_sha=sha, media_name="export.csv")
    assert desk.fake.last("lina").content["fileType"] == "zip"
    [upload] = desk.fake.media.uploads.values()
    assert upload.data.startswith(b"PK")
    assert desk.fake.complaints == []


# --- refusals -------------------------------------------------------------------------------------


def test_a_token_that_ended_early_is_renewed_once(desk: DingDesk) -> None:
    desk.send(text="一")
    desk.fake.expire_tokens()
    desk.send(effect_key="e:2", text="二")
    assert desk.fake.texts("lina") == ["一", "二"]
    assert desk.fake.count(TOKEN) == 2


def test_many_who_need_a_token_fetch_one(desk: DingDesk) -> None:
    async def many() -> None:
        await asyncio.gather(*(desk.bot.client.tokens.get() for _ in range(20)))

    desk.call(many())
    other = desk.start()
    desk.call(other.client.tokens.get())
    assert desk.fake.count(TOKEN) == 1


def test_a_token_near_its_end_is_fetched_anew(desk: DingDesk) -> None:
    desk.send(text="一")
    desk.clock.move(timedelta(minutes=115))
    desk.send(effect_key="e:2", text="二")
    assert desk.fake.count(TOKEN) == 2


def test_tokens_that_never_work_end_the_try_not_the_program(desk: DingDesk) -> None:
    desk.fake.fail(BATCH, "InvalidAuthentication", status=401, times=None)
    with pytest.raises(DingTalkError) as refused:
        desk.send(text="你好")
    assert refused.value.transient
    assert desk.fake.count(BATCH) == 2


def test_a_wrong_secret_waits_for_the_admin(desk: DingDesk) -> None:
    other = desk.start(client_secret="wrong")
    message = Outgoing(
        effect_key="e:1", kind="text", conversation="dingtalk:x", user="wanglei", text="你好"
    )
    for _ in range(3):
        with pytest.raises(ChannelAway) as away:
            desk.call(other.send(message))
        assert away.value.retry_after_s > 500
    assert desk.fake.count(TOKEN) == 1
    assert desk.problems()["token"] == "bad_secret"


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("IpNotInWhiteList", 403, ("ip", "untrusted_ip")),
        ("ApiCountLimitForOrg", 403, ("quota:api", "quota_spent")),
    ],
)
def test_what_only_an_admin_can_mend_waits_and_is_shown(
    desk: DingDesk, code: str, status: int, problem: tuple[str, str]
) -> None:
    desk.fake.fail(BATCH, f"{DENIED}{code}", status=status)
    with pytest.raises(ChannelAway):
        desk.send(text="你好")
    assert problem in desk.problems().items()


def test_a_missing_permission_names_its_scope(desk: DingDesk) -> None:
    desk.fake.app.scopes.discard("qyapi_robot_sendmsg")
    desk.fake.fail(
        BATCH, f"{DENIED}AccessTokenPermissionDenied", status=403, message="[qyapi_robot_sendmsg]"
    )
    with pytest.raises(ChannelAway):
        desk.send(text="你好")
    assert desk.problems() == {"permission:qyapi_robot_sendmsg": "no_permission"}


def test_what_was_mended_is_shown_no_more_also_after_a_restart(desk: DingDesk) -> None:
    desk.fake.app.stopped = True
    with pytest.raises(ChannelAway):
        desk.send(text="你好")
    assert desk.problems() == {"robot": "robot_stopped"}
    other = desk.start()
    desk.call(other.client.tokens.get())
    desk.fake.app.stopped = False
    message = Outgoing(
        effect_key="e:2", kind="text", conversation="dingtalk:x", user="lina", text="你好"
    )
    desk.call(other.send(message))
    desk.problems()
    desk.call(other.send(message))
    desk.until(lambda: not desk.problems())


@pytest.mark.parametrize("code", ["QpsLimitForAppkeyAndApi", "QpsLimitForApi"])
def test_too_fast_is_tried_again_after_a_second(desk: DingDesk, code: str) -> None:
    desk.fake.fail(BATCH, f"{DENIED}{code}", status=403)
    with pytest.raises(DingTalkError) as refused:
        desk.send(text="你好")
    assert refused.value.transient
    assert 1 <= refused.value.retry_after_s <= 3


@pytest.mark.parametrize("as_json", [False, True])
def test_the_firewalls_answer_is_not_the_platforms(desk: DingDesk, as_json: bool) -> None:
    desk.send(text="一")
    desk.fake.rules.banned, desk.fake.rules.punished_json = True, as_json
    with pytest.raises(ChannelAway) as away:
        desk.send(effect_key="e:2", text="二")
    assert away.value.retry_after_s == 300
    assert desk.problems()["ip"] == "ip_banned"


def test_a_stopped_robot_is_the_admins_affair(desk: DingDesk) -> None:
    desk.fake.app.stopped = True
    with pytest.raises(ChannelAway):
        desk.send(text="你好")
    assert desk.problems()["robot"] == "robot_stopped"


@pytest.mark.parametrize("fault", ["lose", "slow"])
def test_a_send_without_an_answer_may_have_arrived(desk: DingDesk, fault: str) -> None:
    if fault == "lose":
        desk.fake.lose_answer(BATCH)
    else:
        desk.fake.fail(BATCH, "system.timeout", status=504)
    with pytest.raises(OutcomeUnknown):
        desk.send(text="你好")


def test_without_a_network_it_was_certainly_not_sent(desk: DingDesk) -> None:
    other = desk.start(api_base="http://127.0.0.1:9")
    message = Outgoing(
        effect_key="e:1", kind="text", conversation="dingtalk:x", user="wanglei", text="你好"
    )
    with pytest.raises(ChannelAway):
        desk.call(other.send(message))


# --- the month's quota ----------------------------------------------------------------------------


def test_calls_are_counted_and_the_admin_is_warned_before_the_end(
    sqlite_url: str, tmp_path: Path
) -> None:
    db = Database(sqlite_url)
    desk = DingDesk(db, tmp_path, settings={"api_quota": 10, "push_quota": 0})
    desk.up()
    for number in range(8):
        assert desk.problems() == {}
        desk.send(effect_key=f"e:{number}", text=f"第 {number} 句")
    assert desk.problems() == {"usage:api": "quota_low"}
    used = db.read(lambda s: desk.bot.usage.used(s, "api"))
    assert used == (desk.fake.api_used, 10)

    desk.clock.move(timedelta(days=10))  # December
    desk.send(effect_key="e:new", text="新的一月")
    assert desk.problems() == {}
    desk.close()
    db.close()


def test_the_quotas_end_leaves_the_webhook(desk: DingDesk) -> None:
    desk.fake.rules.api_quota = 0
    desk.fake.say_text("lina", "今天拜访了恒基水泥，报价一万二").wait()
    desk.run()
    shown = desk.fake.last("lina")
    assert (shown.via, shown.key) == ("session", "actionCard")  # the card, in words
    assert desk.problems()["quota:api"] == "quota_spent"


def test_without_any_way_left_it_waits(desk: DingDesk) -> None:
    desk.fake.rules.api_quota = 0
    outbox_row(desk, "e:1", "你好")
    desk.run()
    assert desk.outbox() == [("queued", "")]
    desk.fake.rules.api_quota = None
    desk.again()
    state = desk.db.read(lambda s: s.scalar(sa.select(OutboxRow.state)))
    assert state == "sent"
    assert desk.fake.texts("lina") == ["你好"]


def test_near_the_end_of_the_pushes_the_api_is_used_instead(
    sqlite_url: str, tmp_path: Path
) -> None:
    db = Database(sqlite_url)
    desk = DingDesk(db, tmp_path, settings={"push_quota": 4, "api_quota": 1000})
    desk.up()
    for _ in range(5):
        desk.fake.say_text("lina", "待办").wait()
        desk.problems()
        desk.run()
    ways = [one.via for one in desk.fake.seen("lina")]
    assert ways[0] == "session"
    assert ways[-1] == "batch"
    desk.close()
    db.close()
