"""Short names people use for a registered one: 恒基水泥有限公司 -> 恒基水泥, 恒基.

A registered name is place + core + trade + legal form.  People drop all but the core, or fold the
middle (理工大学附属中学 -> 理工附中).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from nlp.words import is_common, word_set

Strength = Literal["full", "base", "core", "weak"]

LEGAL = (
    "股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "股份公司", "集团公司", "总公司", "分公司", "子公司",
    "责任公司", "公司", "控股集团", "集团", "控股", "股份", "连锁店", "连锁", "旗舰店", "专卖店", "总店", "分店", "门店",
    "总厂", "分厂", "合作社", "经营部", "营业部", "事务所", "工作室", "办事处", "商行", "厂", "店", "行", "部",
)  # fmt: skip
_LEGAL_ENDS = frozenset(form[-1] for form in LEGAL)
_TRADE_TEXT = """
水泥 制药 药业 医药 热力 钢铁 建材 化工 水务 环保 科技 机电 造纸 饮料 米业 粮油 食品 糕点 烘焙 乳业 奶业 奶站 酒店 宾馆 饭店 大酒店 超市 便利 便利店
百货 商贸 贸易 商场 购物 购物中心 果园 果业 农贸 农业 牧业 渔业 种业 饲料 化肥 农资 药店 药房 药材 大药房 诊所 医院 门诊 口腔 牙科 眼科 体检 体检中心
月子中心 月子 康复 养老 护理 卫生院 卫生 社区卫生 卫生服务 卫生服务中心 服务中心 服务 中心 中医院 妇幼保健院 保健院 保健 人民医院 中心医院 学校 中学 小学 大学 学院 幼儿园
附属 附属中学 附属小学 附属医院 实验 职业 技术 职业技术学院 培训 教育 早教 艺术 花艺 眼镜 电商 电子商务 电子 电器 电气 电力 电缆 电线 电源 电梯 维保 物业 地产
房地产 置业 置地 建设 建筑 建工 工程 装饰 装修 设计 园林 咨询 管理 管理咨询 投资 资本 金融 保险 银行 证券 租赁 典当 担保 物流 快运 快递 快修 快餐 餐饮 货运 运输
客运 航空 机场 港口 港务 船舶 造船 重工 机械 机床 机器人 自动化 智能 智能装备 装备 设备 仪器 仪表 仪器仪表 阀门 泵业 水泵 管业 管道 管件 钢构 钢结构 铸造 锻造 模具 五金
紧固件 轴承 齿轮 传动 制动 制动系统 系统 车灯 座椅 汽车 汽配 汽修 汽车零部件 零部件 自行车 轮胎 橡胶 橡塑 塑料 塑胶 塑业 密封 密封件 包装 印刷 彩印 印务 纸业 纸品 木业
家具 家居 家电 家纺 纺织 印染 服装 服饰 制衣 鞋业 皮革 皮具 箱包 玩具 文具 文旅 文化 文化传媒 传媒 传播 广告 影视 影业 旅行社 旅游 旅业 度假村 景区 健身 体育
美容 美发 化妆品 日化 珠宝 首饰 钟表 光电 光学 光伏 新能源 能源 锂电 电池 储能 石油 石化 燃气 天然气 煤业 煤矿 矿业 煤炭 冶金 有色 铝业 铜业 钢业 特钢 不锈钢 金属
金属制品 制品 涂料 油漆 玻璃 陶瓷 瓷业 卫浴 洁具 门窗 照明 灯具 灯饰 安防 消防 通信 通讯 网络 信息 信息技术 软件 数据 云计算 互联 互动 游戏 半导体 芯片 微电子 精密 精工
精密制造 制造 实业 产业 工业 工贸 发展 开发 国际 供应链 进出口 外贸 生物 生物科技 生物制药 生命科学 医疗 医疗器械 器械 医学 检测 检验 认证 环境 环卫 污水处理 水处理
净水 自来水 供水 供热 供电 公交 地铁 轨道 轨道交通 交通 高速 路桥 桥梁 市政 酒业 酿酒 啤酒 白酒 茶业 茶叶 调味品 酱油 盐业 糖业 面粉 面业 面包 肉业 肉联 屠宰 冷链 冷饮
水产 海鲜 生鲜 蔬菜 水果 花卉 苗木 种子 农机 农场 牧场 养殖 兽药 动保 宠物 律师 会计 税务 人力 人力资源 劳务 保安 保洁 家政 搬家 广场 大厦 会展 展览 销售 营销 社区卫生服务中心 社区卫生中心
冻品 速冻 日杂 副食 母婴 孕婴 团餐 火锅 茶饮 咖啡 甜品 糖水 面馆 烧烤 冷库 干货 炒货 零食 水站 米行 粮店 菜场 花艺 书店 图书 画廊 琴行 摄影 婚庆 民宿 客栈 公寓 老年公寓 养老院
护理院 敬老院 日间照料中心 颐养 老灶 酒坊 酒家 酒楼 餐厅 食堂 海鲜城 农家乐 渔家乐 商管 商业管理 物业服务 产业园 园区 管委会 数据中心 物流园 仓储 冷链物流 货代 船务 船舶修造 船厂
铸管 铸件 锻件 钢构 钢球 塑业 塑胶 模塑 模具 制模 涂装 涂料 漆业 油墨 染织 印染 纺机 数控 机加工 电机 电器 减速机 变速箱 风机 锅炉 热电 供热 焦化 煤化工 化肥 化纤 玻纤 碳素
矿冶 选矿 选矿厂 铁矿 煤矿 洗煤厂 水泥厂 搅拌站 砖厂 制砖 制砖厂 面粉 糖业 糖厂 乳品 罐头 罐头食品 调味 酿造 粮库 油脂 饲料厂 渔场 林场 农庄 牧业 种苗 日化 洗涤 家纺 布艺 灯饰
检测中心 检验所 研究所 设计院 体检中心 动物医院 宠物医院 诊疗所 口腔门诊 口腔门诊部 齿科 齿科诊所 口腔连锁 康复医院 护理 医疗美容 月子会所 托育 早教中心 培训学校 培训中心 实验学校 外国语学校 中心小学 职业学校 技工学校
影城 农贸城 建材城 汽配城 家具城 窑业 新材 新材料 果蔬 农资店 便民店 广告公司 影院 驾校 宠物医院 宠物用品店 宠物店 装饰公司 环卫所 妇幼 建材店 文具店 五金店 花店 水果店 奶茶店 面包店 蛋糕店 烘焙坊 健身房 电影院 批发部 商贸行 锁业 电动工具 粉末冶金 孵化器 布草 管件 铸管 变压器 度假酒店 生态农业 卤味 印刷厂 电梯安装 办公设备 测绘 纺机 风电 渔具 标准件 葡萄酒 酒庄 大酒店 幼儿园 文化传媒 紧固件 锂电材料 旅游客运
机电经营部 机电 标准件 五金店 工具 电子厂 电缆 线缆 光伏科技 储能 电力安装 电力工程 自动化工程 装备制造 重型机械 农机站 汽贸 汽车贸易 轮胎店 商行 经销部 批发部 批发 贸易行
"""
TRADES = frozenset(_TRADE_TEXT.split())
_PLACES = word_set(
    """
    中国 全国 华东 华北 华南 华中 西南 西北 东北 北京 上海 天津 重庆 河北 山西
    辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川
    贵州 云南 陕西 甘肃 青海 内蒙古 内蒙 广西 西藏 宁夏 新疆 香港 澳门 台湾 石家庄
    唐山 保定 邯郸 太原 大同 沈阳 大连 鞍山 长春 哈尔滨 大庆 南京 苏州 无锡 常州
    南通 徐州 扬州 镇江 泰州 盐城 连云港 杭州 宁波 温州 绍兴 嘉兴 湖州 金华 台州
    义乌 合肥 芜湖 蚌埠 福州 厦门 泉州 漳州 南昌 九江 赣州 济南 青岛 烟台 潍坊
    淄博 临沂 济宁 威海 郑州 洛阳 开封 新乡 许昌 武汉 宜昌 襄阳 荆州 长沙 株洲
    湘潭 衡阳 岳阳 广州 深圳 珠海 东莞 佛山 中山 惠州 江门 汕头 湛江 南宁 柳州
    桂林 海口 三亚 成都 绵阳 德阳 宜宾 贵阳 遵义 昆明 西安 咸阳 宝鸡 兰州 西宁
    秦皇岛 邢台 张家口 承德 沧州 廊坊 衡水 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁 呼伦贝尔 通辽 赤峰 鄂尔多斯 乌海 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛
    四平 辽源 通化 白山 松原 白城 延边 齐齐哈尔 鸡西 鹤岗 双鸭山 伊春 佳木斯 七台河 牡丹江 黑河 绥化 淮安 宿迁 衢州 舟山 丽水 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城
    莆田 三明 南平 龙岩 宁德 景德镇 萍乡 新余 鹰潭 吉安 宜春 抚州 上饶 枣庄 东营 泰安 日照 莱芜 德州 聊城 滨州 菏泽 平顶山 安阳 鹤壁 焦作 濮阳 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 济源
    黄石 十堰 鄂州 荆门 孝感 黄冈 咸宁 随州 恩施 仙桃 潜江 邵阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西 韶关 茂名 肇庆 梅州 汕尾 河源 阳江 清远 潮州 揭阳 云浮 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
    儋州 自贡 攀枝花 泸州 广元 遂宁 内江 乐山 南充 眉山 广安 达州 雅安 巴中 资阳 凉山 六盘水 安顺 毕节 铜仁 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 大理 铜川 渭南 延安 汉中 榆林 安康 商洛
    嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 敦煌 石嘴山 吴忠 固原 中卫 克拉玛依 哈密 喀什 伊犁 温岭 瑞安 乐清 诸暨 海宁 桐乡 平湖 东阳 永康 兰溪 龙泉 临海 玉环 靖江 泰兴 兴化 海门 启东 如皋 丹阳 句容 溧阳 太仓 邳州 新沂 东台
    福清 石狮 晋江 南安 龙海 胶州 即墨 平度 莱西 龙口 莱阳 招远 蓬莱 寿光 诸城 滕州 曲阜 邹城 肥城 荣成 乳山 两江 浦东 滨海 雄安 银川 乌鲁木齐 呼和浩特 包头 拉萨 昆山 常熟 张家港 江阴 宜兴 慈溪 余姚
    """
)
_PLACE_UNIT = re.compile(
    r"^[\u4e00-\u9fff]{2,3}?(?:省|市|自治区|自治州|新区|开发区|高新区|(?<![社景校厂园库])区|县|镇|乡)"
)
_A_WORD = 3  # counted so often, letters are a word
_MAX_PLACE, _MIN_CORE, _MIN_WEAK = 4, 2, 4
# What people make of the middle and the end of an institution's name.
_FOLDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("附属中学", ("附中",)), ("附属小学", ("附小",)), ("附属医院", ("附院",)), ("附属幼儿园", ("附幼",)),
    ("人民医院", ("医院", "人医")), ("中心医院", ("医院", "中心院")), ("中医医院", ("中医院",)), ("妇幼保健院", ("妇幼", "保健院")),
    ("实验小学", ("实小",)), ("实验中学", ("实中",)), ("外国语学校", ("外国语", "外校")), ("外国语中学", ("外国语",)),
    ("职业技术学院", ("职院", "职业学院", "职技院")), ("职业学院", ("职院",)), ("科技大学", ("科大",)), ("师范大学", ("师大",)),
    ("理工大学", ("理工大", "理工")), ("工业大学", ("工大",)), ("农业大学", ("农大",)), ("医科大学", ("医大",)), ("大学", ("大",)),
    ("建筑工程", ("建", "建工")), ("农业机械", ("农机",)), ("污水处理", ("污水",)), ("材料化学", ("材化",)), ("服务中心", ("中心",)), ("便利店", ("便利",)), ("购物中心", ("购物",)), ("幼儿园", ("幼园",)), ("开发区", ("开区",)),
    *((f"第{n}人民医院", (f"{n}院", f"{n}医院", f"第{n}医院")) for n in "一二三四五六七八九"),
    *((f"第{n}", (n,)) for n in "一二三四五六七八九十"),
    ("高级中学", ("高中", "高级中")), ("中学", ("中",)), ("小学", ("小",)), ("医院", ("院",)),
)  # fmt: skip

_FOLDABLE = re.compile("|".join(long for long, _ in _FOLDS))


@dataclass(frozen=True, slots=True)
class ShortForm:
    text: str
    strength: Strength


@cache
def _trade_lengths() -> tuple[int, ...]:
    return tuple(sorted({len(one) for one in TRADES}, reverse=True))


def strip_legal(name: str) -> str:
    """*name* without its legal form: 恒基水泥有限公司 -> 恒基水泥."""
    changed = True
    while changed:
        changed = False
        for form in LEGAL if name[-1:] in _LEGAL_ENDS else ():
            rest = name.removesuffix(form)
            if rest == name or len(rest) < _MIN_CORE or _is_place(rest):
                continue
            trade = name[len(strip_trade(name)) :]
            if len(trade) <= len(form):  # 酒店 and 药店 are trades, not 酒 and 药 with a legal form
                name, changed = rest, True
                break
    return name


def strip_trade(name: str) -> str:
    """*name* without one trade word at its end; unchanged when none or too little is left."""
    for length in _trade_lengths():
        if len(name) - length >= _MIN_CORE and name[-length:] in TRADES:
            return name[:-length]
    return name


def _is_place(text: str) -> bool:
    return text in _PLACES or bool(_PLACE_UNIT.fullmatch(text))


def place_of(name: str) -> str:
    """The place a name begins with, '' when none: 上海市恒基水泥 -> 上海市."""
    for length in range(_MAX_PLACE, 1, -1):
        if name[:length] in _PLACES:
            rest = name[length:]
            return name[: length + 1] if rest[:1] in ("省", "市") else name[:length]
    unit = _PLACE_UNIT.match(name)
    return unit.group() if unit else ""


def _generic(text: str) -> bool:
    """Whether nothing but trade words is left: 人民医院, 石油销售."""
    while text:
        for length in _trade_lengths():
            if text[-length:] in TRADES and len(text) >= length:
                text = text[:-length]
                break
        else:
            return text in ("第一", "第二", "第三", "市", "县", "区", "人民", "中心")
    return True


def _too_general(text: str) -> bool:
    """Whether *text* would name half of a trade: 啤酒, 人民, 大学."""
    return len(text) <= _MIN_CORE and (text in TRADES or text in ("人民", "中心", "市第"))


def short_forms(name: str) -> tuple[ShortForm, ...]:
    """All forms of *name* worth looking for, strongest meaning of each text only."""
    order: tuple[Strength, ...] = ("full", "base", "core", "weak")
    found: dict[str, Strength] = {}

    def add(text: str, strength: Strength) -> None:
        if len(text) >= _MIN_CORE and not (strength == "weak" and _too_general(text)):
            known = found.get(text)
            if known is None or order.index(strength) < order.index(known):
                found[text] = strength

    plain = re.sub(r"\s+", "", name)
    add(plain, "full")
    bare = re.sub(r"[（(][^）)]*[）)]", "", plain)
    add(bare, "full")
    base = strip_legal(bare)
    _add_base(base, add)
    place = place_of(base)
    rest = base[len(place) :]
    if place and len(rest) >= _MIN_CORE and not rest.startswith("大学"):
        if _generic(rest):
            short_place = (
                place[:-1] if place[-1] in "省市区县镇乡" and len(place) > _MIN_CORE else place
            )
            shorter = strip_trade(rest)
            tails = {rest, shorter, *_folded(rest)} if len(place) > 1 else {rest}
            for tail in sorted(tails):
                add(short_place + tail, "base")
                add(tail, "weak")
        else:
            _add_base(rest, add)
    return tuple(ShortForm(text, strength) for text, strength in found.items())


def _add_base(base: str, add: Callable[[str, Strength], None]) -> None:
    """The base, its folded forms, and what is left as trade words fall off its end."""
    add(base, "base")
    for one in _folded(base):
        add(one, "base")
    core = base
    while (shorter := strip_trade(core)) != core:
        if _is_place(shorter) or _generic(shorter):
            break
        core = shorter
        add(core, "core")
    if len(core) >= _MIN_WEAK and not _is_place(core[:2]):
        # An unknown trade: the first two characters are a guess, a better one before a real word.
        known = len(core) == _MIN_WEAK and is_common(core[2:], _A_WORD)
        add(core[:2], "core" if known and not is_common(core[:2], _A_WORD) else "weak")
        if len(core) > _MIN_WEAK:
            add(core[:3], "weak")


def _folded(base: str) -> set[str]:
    """Folded forms, one and two folds deep: 城西第二中学 -> 城西二中."""
    out: set[str] = set()
    if not _FOLDABLE.search(base, 1):
        return out
    layer = {base}
    for _ in range(2):
        following = {
            one.replace(long, short, 1)
            for one in layer
            for long, shorts in _FOLDS
            if long in one[1:]
            for short in shorts
        }
        out |= following
        layer = following
    return {one for one in out if len(one) > _MIN_CORE}
