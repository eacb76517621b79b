"""Customers that are not in the list, by the frames they are named in."""

from __future__ import annotations

import re

from nlp.extract import lexicon as lex
from nlp.extract.scene import Scene
from nlp.shortnames import LEGAL, TRADES, strip_trade
from nlp.words import word_set
from sales.facts import CustomerFact

_GENERIC = re.compile(
    r"^(?:他|她|我|这|那|昨|今|明|刚|后|上|下|前|新|老|大|小|几|两|一|整|每|各|全|本|该|某|同|别|另|其|贵|总|现场|工地|项目|展会|公司|客户|厂里|厂|单位|学校|医院|超市|酒店|集团|总部|对方|人家|市场|外地|医院里|公司里|会议|仓库)$"
    r"|^(?:看|就|那|这|个|做|听|被|找|问|把|因|但|而|又|还|也|都|才|只|先|再|他|她|我|人)|客户|我们|他们|自己|那边|这边|什么|怎么|一下|一趟|今天|明天|昨天|上午|下午|刚才|现在|对方|人家|公司里|办公室|电话|微信|报价|合同|方案|说|要|给|让|把|在|和|跟|的|了|是|到"
)
# Trades that are also what anybody does: they make no name of a house by themselves.
_ANY_TRADE = word_set(
    """
    服务 技术 管理 设备 工程 系统 培训 物流 设计 咨询 信息 数据 软件 中心 检测 检验 认证 销售 营销 开发 发展 生产 制造 制品 财务 会计 广告 保险 银行 投资 电子 电气 电力 电源 机械 仪表 仪器 实验 职业 教育 艺术 文化 交通 环境 环保 能源 材料 化工 包装 印刷 卫生 康复 护理 保健 医疗 医学 生物 网络 通信 照明 消防 安防 汽车 零部件 轮胎 密封 轴承 阀门 管道 电缆 门窗 家具 食品 饮料 农业 水果 蔬菜 茶叶 服装 工具 公寓 仓储 批发 零食 咖啡 火锅
    """
)
_ORG_END = tuple(sorted({*LEGAL, *(one for one in TRADES if len(one) >= 2)}, key=len, reverse=True))
_FRAME = re.compile(
    rf"(?:去了?一?趟?|[拐绕转]到|顺[路道][去到上]|先[去到]|又[去到]|换的一家|路过|到了?|拜访了?|跑了?|走访了?|回访了?|见了?|跟|和|给|联系了?|客户是|客户叫|新客户[ ,，]*(?:是|叫)?|叫做?|从|在)(?P<name>[\u4e00-\u9fffA-Za-z]{{2,12}}?)(?:的)?(?={lex.PERSON}|那边|公司|不在|老板|采购|[ ,，。]|$)"
)
_OPENING = re.compile(
    rf"^(?:今天|昨天|上午|下午|刚才?|嗯|呃|那个|{lex.DATE}|[ ,，])*+(?P<name>[\u4e00-\u9fffA-Za-z]{{2,12}}?)(?:的)?(?={lex.PERSON}|那边|[ ,，。])"
)
_TRADE = "|".join(
    sorted(
        (one for one in TRADES if len(one) >= 2 and one not in _ANY_TRADE), key=len, reverse=True
    )
)
_HOUSE = re.compile(
    rf"(?:^|[ ,，。:：的了是到在跟给和从去叫与]|呃|嗯)(?P<name>[\u4e00-\u9fff]{{2,4}}?(?:{_TRADE})(?:有限公司|公司|厂|店)?)(?=的|那边|这边|[ ,，。]|$|{lex.PERSON}|他们|老板|要|说)"
)
_ROLE = "采购|老板|管理员|办公室|店长|主管|主任|财务|院长|校长|总务|后勤|人事|行政|设备|技术|生产|负责人|经理|园长|那边|他们"
_EVERY_TRADE = "|".join(sorted((one for one in TRADES if len(one) >= 2), key=len, reverse=True))
# Any trade will do where somebody of the house follows: 创景广告采购小龚.
_HOUSE_OF = re.compile(
    rf"(?:^|[ ,，。:：到去跟和]|呃|嗯)(?P<name>[\u4e00-\u9fff]{{2,4}}?(?:{_EVERY_TRADE})(?:公司|厂|店|城)?)(?=的?(?:{_ROLE})|的?{lex.PERSON})"
)
_ANOTHER = re.compile(
    rf"(?:另外?一家|还有一家|第二家|后去的|又去了|接着去了?|另一个客户)(?:是|叫|[ ,，])*(?P<name>[\u4e00-\u9fff]{{2,10}}?)(?=的|那边|这边|[ ,，。]|{lex.PERSON})"
)
_DEPARTMENT_END = re.compile(
    r"(?:部|科|处|室|办|车间|经理|主任|总监|采购|设备|技术|生产|财务|老板|工程师|主管|仓储|运营|研发|新来|分管|大区|区域|团队|中心主任)$"
)
_VISITS = re.compile(r"(?:去|到|[拐绕转]到|顺|先|又|换的|路过|拜访|跑|走访|回访|客户|新客户|叫)")
_HOUSES = tuple("厂矿店院校站所馆场库")


def unknown(scene: Scene, have: bool) -> list[CustomerFact]:
    """Customers that are not in the list, by the frames they are named in."""
    out: list[CustomerFact] = []
    for pattern in (_HOUSE_OF, _FRAME, _HOUSE, _OPENING) if not have else (_FRAME, _ANOTHER):
        for match in pattern.finditer(scene.masked):
            start, end = match.span("name")
            name = scene.plain[start:end]
            if any(mark in lex.MARKS for mark in scene.masked[start:end]):
                continue
            visited = bool(_VISITS.match(match.group())) or pattern is _ANOTHER
            ends = (
                (name.endswith(_ORG_END) and len(name) >= 3 and strip_trade(name) != name)
                or name.endswith(LEGAL[:12])
                or (visited and len(name) >= 4 and name.endswith(_HOUSES))
            )
            beside = scene.masked[end : end + 2].lstrip("的")[:1] == lex.PERSON
            if _GENERIC.search(name) or _DEPARTMENT_END.search(name):
                continue
            if not ends and not (beside and not have and 2 <= len(name) <= 8):
                continue
            if have and not (ends and visited):
                continue
            if not any(one.span[0] < end and start < one.span[1] for one in out):
                said = scene.said((start, end))
                out.append(
                    CustomerFact(name=said, known=False, said=said, span=(start, end), score=0.6)
                )
        if out and not have:
            break
    return out[:1] if not have else out
