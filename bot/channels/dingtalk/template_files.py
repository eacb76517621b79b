"""The template files that an admin imports on DingTalk's card platform, made from one list.

The form of such a file is the editor's own export (version 3.0.0 of its schema).  It was never
tried on the real platform: where that refuses a file, ``templates/README.md`` says how to draw the
same card by hand.  A test holds the files in ``templates/`` against ``build``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

Json = dict[str, Any]

NAMES: Final = ("card_action", "card_form", "card_notice")
# Name, and what it holds.  ``canAct`` is private: each viewer has their own.
VARIABLES: Final[Mapping[str, str]] = {
    "src": "来源",
    "title": "标题",
    "desc": "副标题",
    "big": "大字",
    "big_note": "大字说明",
    "body": "正文",
    "lines": "各行文字",
    "rows": "各行（JSON 数组 k、v、old、url），给自己画的模板用",
    "foot": "落款",
    "status": "pending 时显示按钮，其余只显示结果",
    "btn1": "按钮 1，空则不显示",
    "btn2": "按钮 2",
    "btn3": "按钮 3",
    "p1": "按钮 1 回传的 JSON",
    "p2": "按钮 2 回传的 JSON",
    "p3": "按钮 3 回传的 JSON",
    "form": "表单",
    "url": "整卡链接",
    "img": "图片地址",
    "lastMessage": "会话列表里的摘要",
}
PRIVATE: Final[Mapping[str, str]] = {"canAct": "true 时才显示按钮，只有收件人是 true"}
_SUMMARY: Final = "lastMessage"
_FORM_FIELDS: Final = ("name", "label", "type", "placeholder", "defaultValue")


def build(name: str) -> str:
    """The file called *name*."""
    children = list(_parts(name))
    tree = {
        "componentName": "Card",
        "id": "node_card",
        "props": {
            **_opens("url"),
            "enableClickEvent": True,
            "summaryContent": _variable(_SUMMARY),
            "autoFoldConfig": {"needFold": False, "heightLimit": 480},
        },
        "children": children,
    }
    used = sorted({"Card", *(one["componentName"] for one in children)})
    editor = {
        "schemaVersion": "3.0.0",
        "schema": {
            "version": "1.0.0",
            "componentsMap": [_component(one) for one in used],
            "componentsTree": [tree],
            "i18n": {},
        },
        "mockData": {"cardData": _example(name), "cardPrivateData": {"canAct": "true"}},
        "editVersion": 0,
        "variableList": [*_variables()],
        "formList": [],
        "expList": [],
        "localList": [],
        "extension": {"extendType": "NORMAL"},
    }
    made = {
        "editorData": _json(editor),
        "widgetInfo": _plain_widget(),
        "type": "im",
        "mode": "card",
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _parts(name: str) -> Iterable[Json]:
    yield _text("src", size="small", color="gray")
    yield _text("title", size="middle", bold=True, lines=2)
    yield _text("desc", size="small", color="gray", lines=2)
    yield _text("big", size="large", bold=True)
    yield _text("big_note", size="small", color="gray")
    yield _text("body", lines=8)
    yield _text("lines", lines=12)
    if name == "card_form":
        yield _node(
            "Form",
            "form",
            {
                "id": "form",
                "formSchema": _variable("form"),
                "submitText": _words("${btn1}"),
                "params": [],
                "status": _chosen("normal"),
                "actionType": "request",
                "visible": _when(("status", "equal", "pending"), ("form", "notEqual", "")),
            },
        )
        yield _buttons((2, 3), _when(("status", "equal", "pending"), ("form", "notEqual", "")), "b")
    if name != "card_notice":
        shown = _when(("status", "equal", "pending"), ("canAct", "equal", "true"))
        if name == "card_form":
            shown["condition"]["conditions"].append(_condition("form", "equal", ""))
        yield _buttons((1, 2, 3), shown, "a")
    yield _node(
        "SingleButton",
        "result",
        {
            "text": _words("${btn1}"),
            "status": _chosen("disabled"),
            "color": _chosen("gray"),
            "visible": _when(("status", "notEqual", "pending"), ("btn1", "notEqual", "")),
        },
    )
    yield _text("foot", size="small", color="gray")


def _buttons(numbers: Iterable[int], visible: Json, mark: str) -> Json:
    listed = [
        {
            "id": str(number),
            "text": _words(f"${{btn{number}}}"),
            "status": "normal",
            "color": "blue" if number == 1 else "gray",
            "visible": _when((f"btn{number}", "notEqual", "")),
            "actionType": "request",
            "actionId": _words(f"btn{number}"),
            "params": [
                {
                    "type": "variable",
                    "variable": f"p{number}",
                    "value": "",
                    "name": "p",
                    "variableType": "global",
                    "id": "1",
                }
            ],
        }
        for number in numbers
    ]
    props = {
        "direction": "horizontal",
        "buttons": {"type": "button", "list": listed},
        "widthMode": "AutoWidth",
        "visible": visible,
    }
    return _node("ButtonList", f"buttons_{mark}", props)


def _text(
    variable: str, *, size: str = "common", color: str = "black", bold: bool = False, lines: int = 1
) -> Json:
    props = {
        "text": _words(f"${{{variable}}}"),
        "fontSizeType": "Standard",
        "size": size,
        "fontColorType": "Standard",
        "color": color,
        "bold": bold,
        "gravity": "left",
        "maxLine": {"type": "dynamicNumber", "valueType": "fixed", "value": lines},
        "marginLeft": 12,
        "marginRight": 12,
        "marginTop": 4,
        "marginBottom": 4,
        "visible": _when((variable, "notEqual", "")),
    }
    return _node("BaseText", variable, props)


def _node(component: str, name: str, props: Json) -> Json:
    return {
        "componentName": component,
        "id": f"node_{name}",
        "props": props,
        "title": name,
        "hidden": False,
        "isLocked": False,
        "condition": True,
        "conditionGroup": "",
    }


def _component(name: str) -> Json:
    if name == "Form":
        return {"devMode": "lowCode", "componentName": name}
    return {
        "package": "@ali/dxComponent",
        "version": "1.0.0",
        "exportName": name,
        "main": "./src/index.tsx",
        "destructuring": False,
        "subName": "",
        "componentName": name,
    }


def _words(content: str) -> Json:
    return {"type": "dynamicString", "content": content, "i18n": False}


def _variable(name: str) -> Json:
    return {"type": "variableValue", "variableType": "global", "variable": name}


def _chosen(value: str) -> Json:
    return {"type": "dynamicSelect", "valueType": "fixed", "value": value, "variable": ""}


def _opens(variable: str) -> Json:
    link = {
        "type": "dynamicLink",
        "value": "",
        "valueType": "variable",
        "variable": variable,
        "variableType": "global",
    }
    condition = _when((variable, "notEqual", ""))
    return {"actionType": "url", "urlType": "all", "url": link, "linkCondition": condition}


def _when(*conditions: tuple[str, str, str]) -> Json:
    listed = [_condition(*one) for one in conditions]
    return {
        "type": "dynamicVisible",
        "value": True,
        "valueType": "condition",
        "condition": {"op": "and", "conditions": listed},
    }


def _condition(variable: str, op: str, value: str) -> Json:
    return {
        "type": "variable",
        "variable": variable,
        "variableType": "global",
        "op": op,
        "value": value,
        "valueType": "fixed",
        "valueVariableType": "global",
    }


def _variables() -> Iterable[Json]:
    for name, meaning in VARIABLES.items():
        made: Json = {
            "id": name,
            "name": name,
            "type": "form" if name == "form" else "string",
            "private": False,
            "description": meaning,
            "editorVarType": "variables",
        }
        if name == "form":
            made["schema"] = [_form_schema()]
        yield made
    for name, meaning in PRIVATE.items():
        yield {
            "id": name,
            "name": name,
            "type": "string",
            "private": True,
            "description": meaning,
            "editorVarType": "variables",
        }


def _form_schema() -> Json:
    def one(path: str, kind: str, **more: Any) -> Json:
        name = path.rpartition(".")[2]
        made = {"id": path, "type": kind, "name": name, "private": False, "disabled": True}
        return {**made, "editorVarType": "variables", **more}

    first = "form.fields[0]"
    fields = [one(f"{first}.{name}", "string") for name in _FORM_FIELDS]
    fields += [one(f"{first}.{name}", "boolean") for name in ("hidden", "required", "readOnly")]
    options = [one(f"{first}.options[0].{name}", "string") for name in ("value", "text")]
    fields.append(one(f"{first}.options", "loopArray", schema=options))
    return one("form.fields", "loopArray", schema=fields)


def _example(name: str) -> Json:
    """What the editor's preview shows; the company is made up."""
    example: Json = dict.fromkeys(VARIABLES, "")
    example |= {
        "src": "销售助手·语音纪要",
        "title": "星河科技｜这样记对吗？",
        "desc": "语音 1分32秒 · 11-20 14:05",
        "lines": "商机：MES 二期\n金额：120 万（待核）\n下一步：11-25 周三前 发报价",
        "status": "pending",
        "btn1": "确认入库",
        "btn2": "修改",
        "btn3": "作废",
        "lastMessage": "星河科技｜这样记对吗？",
    }
    if name == "card_form":
        field = {"name": "amount", "label": "金额", "type": "NUMBER", "defaultValue": "1200000"}
        example |= {"form": {"fields": [field]}, "btn1": "保存并入库", "btn2": "", "btn3": ""}
    if name == "card_notice":
        example |= {"status": "done", "btn1": "已入库", "foot": "李娜 11-20 14:09"}
    return example


def _plain_widget() -> str:
    """What a client shows that does not know the components; the editor makes its own of it."""
    texts = "\n".join(
        f'  <FastTextView width="match_parent" height="match_content" maxLines="{lines}" '
        f'textSize="{size}np" text="@toStr{{@data{{data.cardData.{name}}}}}"></FastTextView>'
        for name, size, lines in (("title", 15, 2), ("desc", 12, 2), ("lines", 14, 12))
    )
    return (
        '<LinearLayout width="@data{width}" height="match_content" orientation="vertical">\n'
        f"{texts}\n</LinearLayout>\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
