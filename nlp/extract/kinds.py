"""What kind of text it is: a memo, a command, a setting, or just talk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.extract.signs import of_message
from nlp.extract.voices import Voice
from nlp.learned import load
from sales.facts import Kind

_KINDS: tuple[Kind, ...] = ("memo", "command", "setting", "chat")

_LONGEST_COMMAND = 46
_SETTING = re.compile(
    r"^(?:阈值|静默|订阅|退订|取消订阅|只看|别发|不要发|不用发|停发|每天\s*[\d一二三四五六七八九十]|每周[一二三四五六日天]?.{0,6}(?:发|推)|节假日|周末.{0,4}(?:不发|别发|不推|不用)|工作日.{0,6}(?:发|推)|免打扰|设置|把.{0,12}(?:阈值|提醒时间|推送时间|提醒)(?:改|设|调)|改(?:一下)?(?:提醒|推送|阈值)|(?:打开|关闭|关掉|开启|暂停)(?:日报|周报|提醒|推送|通知))"
    r"|(?:日报|周报|日报卡|摘要|提醒|推送|通知|红灯|预警).{0,14}(?:改到|改成|别发|不发|不要发|不用发|别推|不推|不用推|推给我|推一次|只看|只要|早上.{0,6}发|晚上.{0,6}发|几点发|点发|每天发|发我|发给我|停|关掉|打开|静音)"
    r"|(?:以后|从明天起|从下周起).{0,16}(?:发给我|发我|推送|提醒我|推给我|别推|别发|不用发|只看)|(?:我)?只(?:想|要)?看(?:华|[\u4e00-\u9fff]{2,4}区|[\u4e00-\u9fff]{2}的(?:就行|就好|数据))|超过.{0,6}天.{0,8}(?:就)?(?:提醒|预警|报警)"
)
_COMMAND = re.compile(
    r"^(?:请|麻烦|帮我|给我|你|帮忙|能不能|可以|再|那个|嗯|小助手|助手|[ ,，])*(?:查(?!收|验|封|过)|列(?:出|一下|给|个)|看(?:一下|下|看)(?!样|货|机)|导出|帮助|待办|日程|认领|放弃|推进|巡检|打卡|撤销|撤回|展开|统计|汇总|搜|打开|显示|调出|翻(?:一下|出)|拉(?:一下|个|出)|生成|做个?(?:报表|图)|新建商机|复购|展会|同意|驳回|退回|转交|加签|报价\s|丢了(?=\s|$)|赢了(?=\s|$)|我的数据)"
    r"|^(?:(?:今|明|后)天|这周|下周|本周|今日|我)?(?:有|还有)?(?:啥|什么|哪些|几个|多少).{0,6}(?:要跟|要办|待办|没跟|要做|事|客户|商机|承诺|到期|逾期)"
    r"|把.{1,24}(?:列|发|导|拉|调|找|推|给)(?:出来|给我|一下|我|个表|成表|过来)"
    r"|(?:列|发|导|拉|找|推|报|念)(?:给|一份给|一下给)我(?:看看|看|听|一下)?$|给我(?:看看|列|说说|报|念|拉|来)"
    r"|(?:有哪些|是哪些|是多少|有多少|多少(?:钱|了|个|单|家)|怎么样了?|咋样了?|如何|到哪一?步了?|什么情况|啥情况|为啥.{0,6}|为什么.{0,12}|怎么说|谁还没.{0,6}|几个没.{0,6}|排第几|完成了?多少|还差多少)(?:[?？吗呢啊了 ]|$)"
    r"|^(?:超过?\s*[\d一二三四五六七八九十]+\s*天|华[东南北中]|[\u4e00-\u9fff]{2,4}(?:区|组)?)?(?:没动的|没跟的|没跟进的|红灯|黄灯|丢单前三|排名|漏斗|转化率|业绩|PHI|PEI|回款)(?:商机|客户|有哪些|情况|明细|多少)*$"
    r"|^(?:本月|上月|上个月|这个月|本周|上周|昨天|今天|今年|本季度|上季度).{0,12}(?:丢单|排名|漏斗|转化率|业绩|PHI|PEI|回款|商机|成单|报表|红灯|逾期|没跟|前三)[^ ,，。]{0,10}$"
    r"|^给(?:小|老)?[\u4e00-\u9fff]{1,3}[:：]|^(?:去|明天去|下午去|后天去)[\u4e00-\u9fff]{2,8}$|我帮.{1,6}做了|见.{2,8}怎么说$|^(?:不对|错了)$|提醒我(?!们)|^\?+$|^帮助$|^菜单$"
)
_QUESTION_END = re.compile(r"(?:[?？]|吗|呢|咋样|怎么样|如何|多少|哪些|哪家|谁|啥|为什么|为啥)$")
_CHAT = re.compile(
    r"^(?:你好|您好|在吗|哈喽|hello|hi|嗨|早(?:上好|安)?|晚(?:上好|安)|谢谢|好的?|收到|嗯+|哦+|ok|测试|喂+|试一下|拜拜|再见|辛苦了?|哈+|没事|知道了|明白|对|是的|行|可以)[啊吧呀呢了的~！!。 ,，]*",
    re.IGNORECASE,
)
_NO_VISIT = re.compile(
    r"(?:今天|昨天|上午|下午|这两天|这周|本周)?(?:都|也)?(?:没有?(?:去)?(?:拜访|出去|外出|出门|跑客户|见客户|约到|客户)|没(?:去)?(?:拜访|出门|跑客户|见客户)|(?:在家|在公司|在办公室)(?:写|做|整理|开会|学习|培训|休息|准备)|请假|休息一天|休假|开了一天(?:的)?会|培训了?一天)"
)


def kind_of(scene: Scene, voices: Sequence[Voice]) -> Kind:
    """The likeliest kind; plain greetings and empty texts need no model."""
    text = scene.plain.strip(" ,，。、！!~")
    if not re.sub(r"[ ,，。、！!~]", "", text) or _CHAT.fullmatch(text):
        return "chat"
    scores = load("kinds").scores(of_message(scene, voices, by_rule=rule_kind(scene)))
    return max(_KINDS, key=lambda kind: scores[kind])


def rule_kind(scene: Scene) -> Kind:
    """What the rules alone make of it, by how such messages are worded."""
    text = scene.plain.strip(" ,，。、！!~")
    bare = re.sub(r"[ ,，。、！!~]", "", text)
    if not bare:
        return "chat"
    customers, contacts = bool(scene.customers), bool(scene.people)
    things = len(scene.products) + len(scene.sums) + len(scene.rivals)
    short = len(bare) <= _LONGEST_COMMAND
    if short and not contacts and not things and not customers and _SETTING.search(text):
        return "setting"
    if short and not (customers and (contacts or things >= 2)) and _COMMAND.search(text):
        return "command"
    if short and _QUESTION_END.search(bare) and not contacts and not things:
        return "command"
    if _CHAT.fullmatch(text) or (_CHAT.match(text) and len(bare) <= 6 and not customers):
        return "chat"
    if customers or contacts:
        return "memo"
    if _NO_VISIT.search(text):
        return "chat"
    spoken = bool(re.search(rf"(?:客户|拜访|{lex.SPEECH.pattern})", scene.masked))
    return "memo" if things and (spoken or things >= 2) else "chat"
