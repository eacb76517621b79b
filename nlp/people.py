"""People: surname and title, role and name, and whose side they are on.

Titles that begin other words (周总结, 高工资, 曾经理解) and surnames that end other words
(万元总价, 对方总监) are kept out by the letters around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sales.facts import Span

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧肖田董袁潘蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严赖覃洪武莫孔汤向常温康施文牛樊葛邢安齐易乔"
    "伍庞颜倪庄聂章鲁岳翟申耿焦俞柳祝左甘童阮尤欧詹关柯盛梅舒裘蒲骆凌霍裴翁卞包费纪闵路娄柴尚柏房简车项古戚符饶涂"
    "屈商骆冉宁苗佘晏邬卓邸褚荣仇辛管艾游麦芦蓝刁郎邝牟师佟窦靳刑"
)
COMPOUND = ("欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "慕容", "令狐", "夏侯", "尉迟", "公孙", "东方", "端木")
_FEMININE = "女士|小姐"
TITLES = (
    "副总经理", "常务副总", "总经理助理", "总经理", "董事长", "副董事长", "总工程师", "副总工", "总工", "副总裁", "总裁", "总监", "副总",
    "采购经理", "销售经理", "项目经理", "技术经理", "生产经理", "区域经理", "大堂经理", "经理", "副经理",
    "车间主任", "办公室主任", "副主任", "主任", "科长", "副科长", "处长", "副处长", "部长", "副部长", "厂长", "副厂长", "院长", "副院长",
    "校长", "副校长", "园长", "副园长", "所长", "副所长", "局长", "副局长", "站长", "店长", "馆长", "队长", "组长", "班长", "课长", "社长",
    "行长", "台长", "会长", "村长", "镇长", "区长", "市长", "船长", "护士长", "工程师", "老师", "教授", "博士", "医生", "大夫", "医师", "药师", "护士",
    "会计", "出纳", "秘书长", "秘书", "书记", "主管", "专员", "助理", "采购", "老板娘", "老板", "师傅", "先生", *_FEMININE.split("|"),
    "律师", "顾问", "代表", "主席", "主厨", "总", "工", "姐", "哥", "姨", "叔", "董", "局", "处", "所", "院", "校",
)  # fmt: skip
ROLE_ALONE = frozenset(
    ["总经理", "副总经理", "董事长", "总监", "运营总监", "采购总监", "技术总监", "采购经理", "采购主管", "设备经理", "设备主管", "经理", "主任", "副主任", "检验科主任", "设备科长", "科长", "处长", "部长", "厂长", "生产厂长", "院长", "副院长", "校长", "副校长", "园长", "副园长", "所长", "局长", "站长", "店长", "馆长", "护士长", "老板", "老板娘", "总工", "书记", "采购", "采购员", "会计", "出纳", "财务"]
)
_SHORT_TITLES = frozenset("总工姐哥姨叔董局处所院校")
# After these titles the letter that follows may make another word of them.
_BAD_AFTER = {
    "总": "价共额量体结算数部之计包归务局统裁督账厂店承",
    "工": "作厂业资期艺程人具地单商序况头会序装匠",
    "姐": "妹夫", "哥": "们", "董": "事", "局": "面部势限里", "处": "理于分在置", "所": "以有谓", "院": "里长子",
    "校": "长园区友对准", "经理": "解", "处长": "", "采购": "了订单计的部量价合我你他电手",
}  # fmt: skip
# A surname that ends the word before it.
_BAD_BEFORE = {
    "方": "对甲乙双我官地多各供买卖对", "任": "新现前原担主责信上责", "高": "最较更很太越偏提", "金": "基资现奖佣租定押", "程": "工流过课行全里进", "何": "任如为",
    "余": "其剩", "房": "药厨库楼住", "关": "相有无海", "文": "语中英外公条论", "康": "健安小", "万": "一二三四五六七八九十两几", "和": "", "常": "经正非日平异",
    "于": "由关对至等基属", "成": "完达变", "安": "公平保治西", "水": "", "石": "", "江": "", "马": "", "路": "", "车": "", "项": "事", "单": "", "管": "分主", "师": "工老律",
    "包": "", "向": "方", "章": "", "温": "", "商": "厂经客", "尚": "", "左": "", "古": "", "龙": "", "白": "", "计": "", "申": "", "符": "", "费": "", "纪": "", "车间": "", "武": "", "时": "", "游": "", "简": "", "易": "", "许": "", "史": "", "曾": "",
}  # fmt: skip
_STOP_GIVEN = frozenset(
    "说要的在想不是和跟对给我他她你问提答让把也都很就已还没嫌怕觉担同意去来上下周今明后前昨这那到有会能可为以用叫请带约谈聊打电"
    "负签定看找做做等被从向与或及但先再又才只最太比更着了过吗呢吧啊哦嗯呃一二三四五六七八九十两几每约预报单总，。、；！？,.;!? \n："
)
_GIVEN = frozenset(
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红玲芬燕彬鹏飞波斌宇浩凯健俊帆雪梅琳慧莉萍颖佳琪婷雯倩楠欣怡晨阳旭东"
    "海山川峰林森松柏涵轩然博文武德志国建新民生荣昌盛福贵祥瑞龙虎凤云雷雨霖春夏秋冬梦思诗雅丹青蓝紫晓小大天宏鸿辉光耀亮星月宁安康乐"
    "成功达立义仁礼智信忠孝良善美真诚恒永久长远正清廉洁凡岚施翔鑫钰泽润沛源溪江河湖淑珍珠宝金银铁铜钢君子豪奇伦栋梁材才学书诗画琴棋"
    "卫兵胜利全双喜庆丰收禾田园竹菊莲荷蓉薇萌蕾露霜冰锋剑钧锐坤乾元亨贞世代家昊天炎焱淼晶莹璐瑶琼瑾瑜璇玥珊珂琛媛嫣妍妮娅婉姗姣姝娴"
)
_DEPARTMENT = (
    r"(?:[\u4e00-\u9fff]{1,4}?(?:部|科室|科|处|室|办|中心|车间|组|班|馆|所|院)|SQE|IT|QA|QC|PMC|HR|采购|设备|技术|生产|仓储|工程|质量|质检|研发|财务|运营|市场|行政|人事|后勤"
    r"|总务|基建|信息|检验|物资|销售|法务|安全|动力|电气|机修|维修|工艺|品质|品控|供应链|商务|营运|门店|教务|物业|客服|门诊|药剂|护理)"
)
Side = Literal["customer", "ours", "gone", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as heard.  ``name`` is the full name when said, else the surname (小顾 stays 小顾)."""

    name: str
    surname: str
    title: str
    department: str
    span: Span
    full: bool

    @property
    def role(self) -> str:
        title = {"工": "工程师", "总": "总", "姐": "", "哥": "", "先生": "", "女士": "", "师傅": "师傅"}.get(
            self.title, self.title
        )
        return self.department + title if title or self.department else ""


_TITLE = "|".join(sorted(TITLES, key=len, reverse=True))
_LONG_TITLE = "|".join(sorted((t for t in TITLES if t not in _SHORT_TITLES), key=len, reverse=True))
_SUR = rf"(?:{'|'.join(COMPOUND)}|[{SURNAMES}])"
_SUR_TITLE = re.compile(rf"(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{0,2}}?)(?P<title>{_TITLE})")
_FAMILIAR = re.compile(rf"(?P<kind>[老小])(?P<sur>{_SUR})")
_TITLED_NAME = re.compile(
    rf"(?P<title>{_LONG_TITLE})(?:是|叫|名叫)?(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})"
)
_CALLED = re.compile(rf"(?:叫|姓名是?|名字叫|名叫|联系人是?)(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})")
_SURNAMED = re.compile(rf"(?:姓)(?P<sur>{_SUR})(?!名)")
_DEPT_NAME = re.compile(
    rf"(?:部|科|处|室|车间|馆|中心)的?(?P<sur>{_SUR})(?P<given>[\u4e00-\u9fff]{{1,3}})"
)
_LATIN = re.compile(r"(?<![A-Za-z])(?P<name>[A-Z][a-z]{1,9}(?: ?(?:总|姐|哥|经理))?)(?![A-Za-z])")
_DEPT_BEFORE = re.compile(rf"(?P<dept>{_DEPARTMENT}{{1,2}}?)(?P<role>(?:{_LONG_TITLE})?)的?$")
_NOT_FAMILIAR_AFTER = "师板实是客总家公化酒城街年婆妈爸牌旧大样路区"
_NOT_SMALL_AFTER = "时区学程包温项费心型商店米麦数高石车路龙白文金康武章方江安常易"


def find_people(text: str, *, taken: tuple[Span, ...] = ()) -> list[Person]:
    """Everybody named in *text* (normalised), in order; places inside *taken* are names of things."""
    busy = [False] * (len(text) + 1)
    for start, end in taken:
        for place in range(start, min(end, len(text))):
            busy[place] = True
    found: list[Person] = []

    def claim(person: Person) -> None:
        start, end = person.span
        if not any(busy[start:end]):
            found.append(person)
            busy[start:end] = [True] * (end - start)

    for finder in (_titled_names, _surname_titles, _familiar, _called, _surnamed, _departmental, _latin):
        for person in finder(text, busy):
            claim(person)
    return sorted(found, key=lambda one: one.span)


def _busy(busy: list[bool], start: int, end: int) -> bool:
    return any(busy[start:end])


def _department(text: str, start: int, busy: list[bool]) -> tuple[str, str, int]:
    """Department and role just before *start*: (设备部, ''), (采购, 工程师); and where they begin."""
    floor = start
    while floor > 0 and start - floor < 9 and not busy[floor - 1] and text[floor - 1] not in " ,，。;；\n":
        floor -= 1
    match = _DEPT_BEFORE.search(text, floor, start)
    if match is None:
        role = re.compile(rf"(?P<role>{_LONG_TITLE}|老板|法人|负责人)的?$").search(text, floor, start)
        return ("", role["role"], role.start()) if role else ("", "", start)
    dept, begin = match["dept"], match.start()
    trimmed = re.sub(r"^(?:.*(?:了|的|跟|和|见|找|去|到|是|给|问|让|在|那个))", "", dept)
    if len(trimmed) < 2 and trimmed not in ("IT", "QA"):
        return "", match["role"], match.end("dept")
    return trimmed, match["role"], begin + len(dept) - len(trimmed)


def _person(
    text: str, start: int, end: int, busy: list[bool], *, sur: str, given: str, title: str
) -> Person:
    department, role, begin = _department(text, start, busy)
    if role and (not title or title in _SHORT_TITLES or title in ("先生", *_FEMININE.split("|"))):
        title = role
    elif role and role != title:
        department += role if role not in department else ""
    return Person(
        name=sur + given, surname=sur, title=title, department=department,
        span=(begin if department or role else start, end), full=bool(given),
    )  # fmt: skip


def _good_left(text: str, start: int, sur: str) -> bool:
    before = text[start - 1 : start] if start else ""
    return not (before and before in _BAD_BEFORE.get(sur, ""))


def _good_right(text: str, end: int, title: str) -> bool:
    after = text[end : end + 1]
    return not (after and after in _BAD_AFTER.get(title, ""))


def _surname_titles(text: str, busy: list[bool]) -> list[Person]:
    """王经理, 王磊经理, 检验科高主任, 黄工."""
    out = []
    place = 0
    while (match := _SUR_TITLE.search(text, place)) is not None:
        place = match.start() + 1
        sur, given, title = match["sur"], match["given"], match["title"]
        start, end = match.span()
        if _busy(busy, start, end) or not _good_left(text, start, sur):
            continue
        if not _good_right(text, end, title):
            continue
        if given and (
            any(char in _STOP_GIVEN for char in given)
            or title in _SHORT_TITLES
            or (given[-1] in SURNAMES and given not in _GIVEN and not _is_given(given))
            or not _is_given(given)
        ):
            continue
        out.append(_person(text, start, end, busy, sur=sur, given=given, title=title))
        place = end
    return out


def _is_given(given: str) -> bool:
    return given[-1] in _GIVEN and all(char not in _STOP_GIVEN for char in given)


def _familiar(text: str, busy: list[bool]) -> list[Person]:
    """小顾, 老崔: 小 stays with the name, 老 does not."""
    out = []
    for match in _FAMILIAR.finditer(text):
        start, end = match.span()
        after = text[end : end + 1]
        bad = _NOT_SMALL_AFTER if match["kind"] == "小" else ""
        if _busy(busy, start, end) or match["sur"] in bad or after in "长者": 
            if not (after == "" and match["sur"] not in bad):
                continue
        if text[start - 1 : start] in ("最", "大", "较", "很", "太", "缩", "减", "古", "从", "多", "养", "元") and start:
            continue
        if match["kind"] == "老" and match["sur"] in "师板实家客公城年":
            continue
        sur = match["sur"]
        person = _person(text, start, end, busy, sur=sur, given="", title="")
        name = "小" + sur if match["kind"] == "小" else sur
        out.append(
            Person(
                name=name, surname=sur, title=person.title, department=person.department,
                span=person.span, full=False,
            )
        )  # fmt: skip
    return out


def _given(text: str, start: int, busy: list[bool], options: str) -> str:
    """The given name that begins at *start*: one or two letters, as far as they look like a name."""
    first = options[:1]
    if not first or first in _STOP_GIVEN or busy[start]:
        return ""
    second = options[1:2]
    if not second or second in _STOP_GIVEN or busy[start + 1]:
        return first
    third = text[start + 2 : start + 3]
    closed = not third or third in _STOP_GIVEN or busy[start + 2]
    return first + second if second in _GIVEN or closed else first


def _named(text: str, busy: list[bool], pattern: re.Pattern[str], *, with_title: bool) -> list[Person]:
    out = []
    for match in pattern.finditer(text):
        sur = match["sur"]
        at = match.start("sur")
        given = _given(text, match.start("given"), busy, match["given"])
        end = at + len(sur) + len(given)
        if not given or _busy(busy, at, end) or not _is_likely(sur, given):
            continue
        title = match["title"] if with_title else ""
        if with_title and text[at : at + 1] in "和":
            continue
        person = _person(text, at, end, busy, sur=sur, given=given, title="")
        start = min(person.span[0], match.start("title") if with_title else at)
        out.append(
            Person(
                name=sur + given, surname=sur, title=title or person.title, department=person.department,
                span=(start, end), full=True,
            )
        )  # fmt: skip
    return out


def _is_likely(sur: str, given: str) -> bool:
    """Whether surname and given name make a person: 车间, 高温 and 方案 do not."""
    word = sur + given
    return given[-1] in _GIVEN and word not in _NOT_NAMES and word[:2] not in _NOT_NAMES


_NOT_NAMES = frozenset(
    ["方案", "方面", "方便", "方向", "高温", "高新", "高清", "高级", "高端", "金额", "金属", "成本", "成品", "成交", "安全", "安装", "安排", "任务", "任何", "何时", "关于", "于是", "常用", "常规", "时间", "车间", "车辆", "水平", "平台", "平均", "全部", "全年", "全套", "单价", "单子", "项目", "文件", "文字", "章程", "温度", "包装", "包括", "马上", "万元", "石油", "江苏", "江西", "江南", "江北", "海南", "许可", "许多", "武汉", "白天", "管理", "管道", "路线", "费用", "纪要", "商务", "商量", "商场", "易损", "古代", "左右", "龙头", "简单", "游戏", "夏天", "秦皇", "钱款", "史上", "雷达", "钟头", "段时", "苏州", "谢谢", "温州", "广告", "万一", "金华", "向我", "向他", "康复", "齐全", "严格", "童装", "盛大", "简历", "尚未", "孔径", "甘肃", "陆续", "方正", "毛利", "应该", "路上", "车上", "师傅"]
)


def _titled_names(text: str, busy: list[bool]) -> list[Person]:
    """校长江雪, 生产厂长宋强."""
    return [
        one
        for one in _named(text, busy, _TITLED_NAME, with_title=True)
        if not re.match(r"(?:总|工|经理|主任|老师|科长|部长|处长)", text[one.span[1] : one.span[1] + 2])
    ]


def _called(text: str, busy: list[bool]) -> list[Person]:
    """新来的叫沈丽华."""
    return _named(text, busy, _CALLED, with_title=False)


def _departmental(text: str, busy: list[bool]) -> list[Person]:
    """设备部赵国栋."""
    return _named(text, busy, _DEPT_NAME, with_title=False)


def _surnamed(text: str, busy: list[bool]) -> list[Person]:
    """新经理姓韩."""
    return [
        _person(text, match.start("sur"), match.end(), busy, sur=match["sur"], given="", title="")
        for match in _SURNAMED.finditer(text)
        if not _busy(busy, *match.span())
    ]


def _latin(text: str, busy: list[bool]) -> list[Person]:
    """运营总监Amy: a Latin given name beside a role or before a verb of speech."""
    out = []
    for match in _LATIN.finditer(text):
        start, end = match.span("name")
        beside = re.search(rf"(?:{_LONG_TITLE}|部|科)的?$", text[max(0, start - 6) : start])
        speaks = re.match(r"(?:说|要|想|问|那边|觉得|同意|答应|跟我|让我|反馈)", text[end : end + 3])
        if _busy(busy, start, end) or not (beside or speaks):
            continue
        person = _person(text, start, end, busy, sur=match["name"], given="", title="")
        out.append(person)
    return out
