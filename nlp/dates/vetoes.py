"""What looks like a date and is none: names, models, counts, opinions, habits.

The lists are meant to grow; a trap found in the field gets a test and a line here.
"""

from __future__ import annotations

import re
from typing import Final

from nlp.dates.festivals import NEEDS_CUE
from nlp.dates.model import Atom

# Fixed words that contain date words.  A phrase that begins inside one of them is refused.
_MASK: Final = re.compile(
    r"《[^》]{0,30}》|https?://\S+|今日头条|明日之后|三天两头|三天打[鱼渔]|两天晒网|"
    r"一天到晚|一年到头|七天连锁|七天酒店|"
    r"五一路|五一广场|五四路|五四广场|八一路|八一厂|十一中|九一八|三八线|(?:先天|之|以|今)"
    r"后天[^,。]|今非昔比|明天系|"
    r"一五一十|七上八下|五年计划|二十四节气|双休日?|日复一日|年复一年|十年如一日|百年不遇|有朝一日|"
    r"[晓小建光志国文学启开黎家永春景]明天天(?![气亮黑])|年前程|下周庄|[晓小]明天[下天]|"
    r"周[大五六]福|周生生|周期|周边|周围|周转|周全|周密|周到地|周年庆|周末愉快|节日快乐|"
    r"新年快乐|中秋快乐|国庆快乐|"
    r"第一天性|半天才|老半天|大半天|年前年后[^,。]{0,4}(?:馆|店|铺)|一天天|天天"
)
# A shop or a firm may be called by a date: 明天家居, 三月茶社, 九月阳光, 后天智能.
_FIRM_R: Final = re.compile(
    r"(?:的|里|见|之)?(?:食品|奶茶|女鞋|男装|国际|香料|妈咪|蒜业|兰(?!州)|你好|仙|晴(?!天)|岁|米业|火锅|烧烤|面馆|小馆|设计院|智能|科技|家居|家具|茶社|茶楼|茶业|超市|集团|公司|传媒|药业|酒店|宾馆|实业|乳业|食品|阳光|电器|文化|书店|书屋|咖啡|"
    r"餐厅|饭店|烘焙|蛋糕|花店|服饰|女装|童装|幼儿园|托育|少年|印象|风尚|故事|时光|民宿|影楼|婚纱|健身|牧场|农场|果园|酒业|酒庄|"
    r"网络|信息|软件|商贸|建材城|广场|小镇|小区|花园|大厦|路|街|巷|系列|型|牌|号机|牌子)(?!.{0,3}(?:前|之前|以前|给|交|发|送|到货))"
)
_NAMING: Final = frozenset(
    {"month", "relday", "quarter", "week", "weekday", "festival", "moonday", "edge"}
)
_CALLED_L: Final = re.compile(r"(?:叫|名叫|叫做|那首|歌名是?|品牌是?|牌子是?)[\u4e00-\u9fff]?$")
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘"
    "袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦"
    "邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文"
)
_TITLES: Final = (
    "(?:总监|总经理|总工|总(?![结共体是的要想会不归部数量价额算之])|经理|主任|部长|科长|厂长|处长|"
    "局长|校长|院长|老师|主管|工程师|先生|女士|小姐|董事|老板|医生|博士|队长|组长|师傅|哥|姐)"
)

_AFTER_DAY: Final = re.compile(
    r"(?:号?(?:楼|线|机(?!会)|厂|门|车|会议|仓|炉|泵|阀|汽油|柴油|钢|桌|院|店|馆|厅|窗|柜|"
    r"房|样|标段|包(?!装)|产线|生产线|电机|设备|"
    r"罐|塔|井|员工|选手|人(?!民|工|事)|方案|产品|配方|电池|链接|工位|地块|基地|码|文(?!件)|库|站|公馆|路|"
    r"弄|栋|座|床|病房|病区|台(?!风)|铺|口(?!头)|孔|槽|轴|"
    r"主变|机组|线路|锅炉|窑|坑|矿|船|舱|弹|球(?!队)|位|模具|图纸|样机|样品|原料|油(?!漆)|"
    r"水泥|项目部|人物|首长|字))"
    r"|元(?!旦)|本(?!人|周|月|来)|报(?!价|给|名|上|备|到|送|销|告)|常(?!务)|游|均|化|语|系(?!统)|式"
)
_BEFORE_DAY: Final = re.compile(
    r"(?:馆|楼|栋|室|座|单元|街|路|巷|弄|大道|展位|摊位|门牌|车位|床位|第|编号|型号|工号|账号|尾号|房号|款式|序号|批号|单号|方案|车间|厂区|[A-Za-z0-9#\-_])$"
)
_AFTER_CLOCK: Final = re.compile(
    r"[ ]?(?:[^,。 ]{0,4}(?:建议|意见|要求|问题|原因|理由|想法|看法|好处|优势|疑虑|顾虑|"
    r"需求|内容|东西|结论|不足|不满|差异|区别|共识|"
    r"说明|变化|改进|期望|担心|承诺|诉求|考虑|启发|感受|体会|收获|声明|约定|事情?|异议|"
    r"条件|优点|缺点|特点|卖点|痛点|疑问|反馈|"
    r"理解|误区|依据|规律|经验|教训|希望|措施|风险|亮点|不同)|钱|折|倍|水|油|点|米|吨|公斤|"
    r"万|亿|个(?!半)|以上|[都分]别?|关键|[:：])"
)
_BEFORE_CLOCK: Final = re.compile(
    r"(?:有|提了?|提出了?|说了|讲了|总共|一共|共|几|这|那|哪|第|降了?|涨了?|让了?|加了?|减|"
    r"高|低|差|占|以下|如下|分|前|后|给了?|谈了|补充|"
    r"强调|注意|记住|便宜|优惠|[A-Za-z0-9#\-_.])[ ]?$"
)
_CLOCK_FRAME_L: Final = re.compile(
    r"(?:^|在|到|约|定|等|约好|是|就|从|至|于|赶|每天|明天|今天|[,。;、 ])$"
)
_CLOCK_FRAME_R: Final = re.compile(
    r"(?:$|[,。;!?、 ]|[之以]?前|[之以]?后|左右|多|准时|开|到|见|来|去|给|发|出发|打|约|"
    r"集合|钟|过去|上门|送|交|的(?:会|飞机|高铁|车))"
)
_AFTER_WEEK: Final = re.compile(
    r"[围边密刊岁旋折全游转]|期(?!间|末|货)|年(?!会|底|前|后|中|初|终)|到(?=[的地])"
)
_AFTER_MONTH: Final = re.compile(
    r"[饼球亮嫂经薪租供季花庄]|天(?!津)|广场|结(?=客|方|[0-9一二三四五六七八九])|均|份额"
)
_AFTER_FESTIVAL: Final = re.compile(
    r"(?:节|假期?|中秋|国庆|五一|端午|元旦|春节|[、和]|双节)*(?:礼|福利|月饼|款|粽|红包|路|"
    r"街|树|帽|装|促销|大促|活动|备货|档期?|快乐|联欢|晚会|广场|村|班|厂|献礼|江|河|上河)"
    r"(?!.{0,2}(?:[之以]?前|[之以]?后))"
)
_CUE_R: Final = re.compile(
    r"(?:节|[之以]?前|[之以]?后|期间|放假|假|长假|当天|那天|过后|大促|国庆|上班|开工)"
)
_CUE_L: Final = re.compile(r"(?:过完|过了|等|赶在|今年|明年|去年|农历|截止到?)$")
_HABIT: Final = re.compile(
    r"(?:(?:每|逢|每逢|每个|每到|每隔|隔)(?:年|月|周|个月|季度|天)?的?|(?:一般|通常|往年|历来|向来)(?:都?是|都?在|都)?)$"
)
_OF_THAT_DAY: Final = re.compile(
    r"(?:那天|当天|第[一二三]天|每天|天天|哪天|那晚|一天|回来|[一两三四五六七八九十]个|去年|上次)的?$"
)
_OPEN_R: Final = re.compile(r"(?:都|才)?(?:营业|开门|上班|坐班|上课|休息|营业时间|有货|供餐)")
_OF_PERIOD: Final = re.compile(
    r"的(?:[\u4e00-\u9fff]{0,2})?(?:年框|框架|指标|工期|预算|任务|计划|合同|订单|盘子|账|款|货|量|活动|政策|价|会|事|需求|项目|采购|单子|返利|展会)"
)
_TOPIC_NOW: Final = re.compile(
    r"的?(?:累计|做了|砍|欠|他|张口|预算|指标|任务|业绩|行情|以来|还没|刚|已经|第|新|一直|都|来|就|才|是|有|没|不|"
    r"先不|最|量|订单|销量|增长|价格|市场|年初|财)"
)
_TITLE_R: Final = re.compile(rf"(?P<given>[一-鿿])?{_TITLES}")


def masks(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in _MASK.finditer(text)]


def is_habit(text: str, start: int) -> bool:
    """Whether 每, 逢 or 一般 stands before: then the whole phrase names a habit."""
    return bool(_HABIT.search(text[max(0, start - 8) : start]))


def bare_period(text: str, end: int, *, topic: bool) -> bool:
    """A period that is talked about, not by which something is due: 明年的年框, 今年预算只有65万."""
    if _OF_PERIOD.match(text, end):
        return True
    return topic and bool(_TOPIC_NOW.match(text, end))


def refused(text: str, atoms: tuple[Atom, ...], start: int, end: int) -> bool:
    """Whether the phrase of *atoms* at ``text[start:end]`` is something else than a date."""
    left, kinds = text[max(0, start - 8) : start], {atom.kind for atom in atoms}
    last = atoms[-1]
    if not (start == 0 and end == len(text)):
        if text[start].isascii() and left and re.search(r"[A-Za-z0-9_#./]$|[A-Za-z0-9]-$", left):
            return True
        if text[end - 1].isdigit() and end < len(text) and re.match(r"[A-Za-z%]", text[end]):
            return True
    if _HABIT.search(left) and not kinds <= {"part", "clock"}:
        return True
    if "day" in kinds and last.kind == "day":
        if last.n > 31 or last.m > 31:
            return True
        if _AFTER_DAY.match(text, end) and ("month" not in kinds or text[end] in "元"):
            return True
        if "month" not in kinds and atoms[0].kind == "day" and _BEFORE_DAY.search(left):
            return True
    if last.kind == "month" and _AFTER_MONTH.match(text, end):
        return True
    if last.kind in _NAMING and _FIRM_R.match(text, end) and "day" not in kinds:
        return True
    if last.kind in ("festival", "month", "moonday", "edge") and _CALLED_L.search(left):
        return True
    if kinds <= {"part", "clock"} and _OF_THAT_DAY.search(left):
        return True
    if last.kind == "part" and last.word == "上班" and re.search(r"(?:节|年|假)[之以]?后$", left):
        return True  # 节后上班 is one day
    if "weekday" in kinds and _OPEN_R.match(text, end) and len(atoms) == 1 and last.word:
        return True
    if last.kind == "edge" and text.startswith("薪", end):
        return True
    if last.kind in ("week", "weekday") and _refused_week(text, last, end, left):
        return True
    if last.kind == "festival":
        return _refused_festival(text, last, start, end, left)
    if atoms[0].kind == "year" and len(atoms) == 1 and last.word != "rel":
        digits = text[last.start : last.end - 1]
        short = len(digits) == 2 and digits[0] not in "0零"
        if short or text.startswith(("经验", "质保", "老", "来"), end):
            return True
    if atoms[0].kind == "clock":
        return _refused_clock(text, last, start, end, left)
    if last.kind == "clock" and last.word == "" and atoms[-2].kind != "part":
        return bool(_AFTER_CLOCK.match(text, end)) and not text.startswith(("分", "都"), end)
    if atoms[0].kind == "md":
        return _refused_slash(text, atoms, start, end)
    if atoms[0].kind == "nth" or kinds == {"lead"}:
        return not (last.kind == "part" or (start == 0 and end == len(text)))
    return False


def _refused_week(text: str, last: Atom, end: int, left: str) -> bool:
    named = last.kind == "weekday" or last.m
    if not named:
        return bool(_AFTER_WEEK.match(text, end))
    if left.endswith(("老", "小", "姓", "叫")) and last.kind == "weekday":
        return True
    title = _TITLE_R.match(text, end)
    if title is None or last.kind != "weekday" or text[last.start] != "周":
        return False
    # 周五刘经理来 is a day and a person; 周一鸣经理, 周一总 are a person.
    return title["given"] is None or title["given"] not in _SURNAMES


def _refused_festival(text: str, last: Atom, start: int, end: int, left: str) -> bool:
    if _AFTER_FESTIVAL.match(text, end):
        return True
    if _is_given_name(text, last, start, end):
        return True
    if last.word in NEEDS_CUE and not (start == 0 and end == len(text)):
        if left[-1:] in tuple("零一二三四五六七八九十百千万第点"):
            return True
        return not (_CUE_R.match(text, end) or _CUE_L.search(left) or start < last.start)
    return False


def _is_given_name(text: str, last: Atom, start: int, end: int) -> bool:
    """王元旦, 钟清明, 马国庆: a surname opens the word, and nothing dates by it."""
    if start == 0 or text[start - 1] not in _SURNAMES or last.start != start:
        return False
    opens = start == 1 or bool(
        re.search(r"[ ,。;!?叫是姓找见给跟和请问让了的]$", text[: start - 1])
    )
    return opens and not re.match(
        r"(?:节|[之以]?前|[之以]?后|期间|放假|假期|当天|那天|大促|过后|回来|上班)", text[end:]
    )


def _refused_clock(text: str, last: Atom, start: int, end: int, left: str) -> bool:
    if last.word in ("colon", "am", "pm"):
        return bool(re.search(r"[\d:.]$|比[例分率]?[是为约:]?$", left)) or bool(
            re.match(r"[:.]\d|的?比", text[end : end + 3])
        )
    if start == 0 and end == len(text):
        return False
    if _BEFORE_CLOCK.search(left):
        return True
    if last.word == "tail":
        return bool(_AFTER_CLOCK.match(text, end))
    if last.n in (1,) and text[start] == "一":
        return True  # 一点 is "a little"
    if _AFTER_CLOCK.match(text, end):
        return True
    if last.n >= 9:  # nobody makes ten points; 十一点 is an hour
        return False
    return not (_CLOCK_FRAME_L.search(left) and _CLOCK_FRAME_R.match(text, end))


def _refused_slash(text: str, atoms: tuple[Atom, ...], start: int, end: int) -> bool:
    if (start == 0 and end == len(text)) or len(atoms) > 1 or "·" in atoms[0].word:
        return False
    if text.startswith(("的", "以上", "强", "多", "寸", "英寸"), end):
        return True
    if re.search(r"[A-Za-z][ ]?$", text[max(0, start - 2) : start]):
        return True  # GB/T 12-25
    if "-" in atoms[0].word or "." in atoms[0].word:
        return False
    clear = re.match(r"[之以]?前|[之以]?后|号|日|交|给|到|上午|下午|晚|[, 。]|$", text[end:])
    return not clear
