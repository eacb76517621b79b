"""Every field of a template card, checked.  Protocol sheet 4.2; codes from D90313."""

from __future__ import annotations

import re
from typing import Any, Final

from tests.fakes.wecom.checks import a_list, address, an_object, known_fields, one_of, unique, words
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.state import App, Json, State

NOTICES: Final = ("text_notice", "news_notice")
INTERACTIVE: Final = ("button_interaction", "vote_interaction", "multiple_interaction")
KEY_BYTES: Final = 1024
OPTION_BYTES: Final = 128
_TASK = re.compile(r"[0-9A-Za-z_@-]{1,128}")

_COMMON: Final = {"card_type", "source", "main_title", "task_id"}
_MIDDLE: Final = {"action_menu", "quote_area", "horizontal_content_list", "card_action"}
FIELDS: Final[dict[str, set[str]]] = {
    "text_notice": _COMMON | _MIDDLE | {"emphasis_content", "sub_title_text", "jump_list"},
    "news_notice": _COMMON
    | _MIDDLE
    | {"card_image", "image_text_area", "vertical_content_list", "jump_list"},
    "button_interaction": _COMMON | _MIDDLE | {"sub_title_text", "button_selection", "button_list"},
    "vote_interaction": _COMMON | {"checkbox", "submit_button"},
    "multiple_interaction": _COMMON | {"select_list", "submit_button"},
}
# What a reader sees of a text before it is cut off, in characters (advisory: a warning only).
_SEEN: Final = {
    "source.desc": 20,
    "main_title.title": 36,
    "main_title.desc": 44,
    "emphasis_content.title": 14,
    "emphasis_content.desc": 22,
    "sub_title_text": 160,
    "horizontal_content_list.keyname": 5,
    "horizontal_content_list.value": 30,
    "jump_list.title": 18,
    "vertical_content_list.title": 38,
    "vertical_content_list.desc": 160,
    "option_list.text": 16,
    "button_list.text": 10,
    "submit_button.text": 10,
}
_SEEN_VOTE: Final = {"main_title.title": 16, "option_list.text": 17}
_SEEN_FORMS: Final = {"main_title.desc": 160}


class Checker:
    """One card.  *update*: in update_template_card; *webhook*: in a group webhook."""

    def __init__(
        self, state: State, card: Any, *, update: bool = False, webhook: bool = False
    ) -> None:
        self.state = state
        self.card = an_object("template_card", card, 41016)
        self.update = update
        self.webhook = webhook
        kind = self.card.get("card_type")
        allowed = NOTICES if webhook else (*NOTICES, *INTERACTIVE)
        if kind not in allowed:
            raise ApiError(42031, f"card_type {kind!r}")
        self.kind: str = kind

    def check(self) -> None:
        fields = set(FIELDS[self.kind])
        if self.update and self.kind in INTERACTIVE:
            fields.add("replace_text")
        if self.webhook:
            fields -= {"action_menu", "task_id"}
        known_fields(self.state, self.kind, self.card, fields)
        self._head()
        self._menu()
        self._quote()
        self._rows()
        self._jumps()
        self._action()
        self._picture()
        self._verticals()
        self._inputs()
        self._buttons()
        self._task()
        if "replace_text" in self.card:
            words(self.kind, self.card, "replace_text", required=True)

    @property
    def gives_code(self) -> bool:
        """Interactive cards can be updated, notices only with a menu."""
        return self.kind in INTERACTIVE or "action_menu" in self.card

    def _part(self, name: str, fields: set[str]) -> Json | None:
        if name not in self.card:
            return None
        part = an_object(name, self.card[name])
        known_fields(self.state, name, part, fields)
        return part

    def _head(self) -> None:
        if source := self._part("source", {"icon_url", "desc", "desc_color"}):
            self._text("source", source, "desc")
            if source.get("icon_url"):
                address("source", source, "icon_url")
            one_of("source", source, "desc_color", (0, 1, 2, 3), default=0)
        title = self._part("main_title", {"title", "desc"}) or {}
        self._text("main_title", title, "title")
        self._text("main_title", title, "desc")
        self._text("", self.card, "sub_title_text")
        if self.kind == "text_notice":
            if not title.get("title") and not self.card.get("sub_title_text"):
                raise ApiError(41016, "main_title.title or sub_title_text is required")
        elif not title.get("title"):
            raise ApiError(41016, "main_title.title is required")
        if big := self._part("emphasis_content", {"title", "desc"}):
            self._text("emphasis_content", big, "title")
            self._text("emphasis_content", big, "desc")

    def _menu(self) -> None:
        menu = self._part("action_menu", {"desc", "action_list"})
        if menu is None:
            return
        words("action_menu", menu, "desc")
        actions = a_list("action_list", menu.get("action_list"), 1, 3)
        for one in actions:
            known_fields(self.state, "action_list", one, {"text", "key"})
            words("action_list", one, "text", required=True)
            words("action_list", one, "key", required=True, max_bytes=KEY_BYTES)
        unique("action_list keys", [one["key"] for one in actions], 42051)

    def _quote(self) -> None:
        fields = {"type", "url", "appid", "pagepath", "title", "quote_text"}
        if quote := self._part("quote_area", fields):
            self._link("quote_area", quote, (0, 1, 2))
            words("quote_area", quote, "title")
            words("quote_area", quote, "quote_text")

    def _rows(self) -> None:
        where = "horizontal_content_list"
        if where not in self.card:
            return
        for row in a_list(where, self.card[where], 0, 6, 42035):
            known_fields(
                self.state, where, row, {"keyname", "value", "type", "url", "media_id", "userid"}
            )
            self._text(where, row, "keyname", code=42027, required=True)
            self._text(where, row, "value")
            kind = one_of(where, row, "type", (0, 1, 2, 3), default=0)
            if kind == 1:
                address(where, row, "url")
            elif kind == 2:
                words(where, row, "media_id", code=42029, required=True)
                self.state.find_media(row["media_id"])
            elif kind == 3:
                userid = words(where, row, "userid", code=42050, required=True)
                if userid.lower() not in self.state.members:
                    raise ApiError(42050, f"{where}.userid {userid!r} is nobody")

    def _jumps(self) -> None:
        where = "jump_list"
        if where not in self.card:
            return
        for jump in a_list(where, self.card[where], 0, 3, 42042):
            known_fields(self.state, where, jump, {"type", "title", "url", "appid", "pagepath"})
            self._text(where, jump, "title", code=42033, required=True)
            self._link(where, jump, (0, 1, 2))

    def _action(self) -> None:
        action = self._part("card_action", {"type", "url", "appid", "pagepath"})
        if action is None:
            if self.kind in NOTICES:
                raise ApiError(42045, "a notice needs card_action")
            return
        kinds = (1, 2) if self.kind in NOTICES else (0, 1, 2)
        self._link("card_action", action, kinds, code=42045)

    def _picture(self) -> None:
        image = self._part("card_image", {"url", "aspect_ratio"})
        if image is not None:
            address("card_image", image, "url", missing=42044)
            ratio = image.get("aspect_ratio", 1.3)
            if isinstance(ratio, bool) or not isinstance(ratio, (int, float)):
                raise ApiError(42044, "aspect_ratio must be a number")
            if not 1.3 <= ratio <= 2.25:
                raise ApiError(42044, "aspect_ratio must lie between 1.3 and 2.25")
        fields = {"type", "url", "appid", "pagepath", "title", "desc", "image_url"}
        beside = self._part("image_text_area", fields)
        if beside is not None:
            self._link("image_text_area", beside, (0, 1, 2))
            address("image_text_area", beside, "image_url", missing=42044)
            words("image_text_area", beside, "title")
            words("image_text_area", beside, "desc")
        if self.kind == "news_notice" and image is None and beside is None:
            raise ApiError(42044, "card_image or image_text_area is required")

    def _verticals(self) -> None:
        where = "vertical_content_list"
        if where not in self.card:
            return
        for one in a_list(where, self.card[where], 0, 4, 42036):
            known_fields(self.state, where, one, {"title", "desc"})
            self._text(where, one, "title", code=42033, required=True)
            self._text(where, one, "desc")

    def _inputs(self) -> None:
        if "button_selection" in self.card:
            self._select(
                "button_selection", an_object("button_selection", self.card["button_selection"])
            )
        if self.kind == "multiple_interaction":
            selects = a_list("select_list", self.card.get("select_list"), 1, 3, 42047)
            for one in selects:
                self._select("select_list", one)
            unique("question keys", [one["question_key"] for one in selects], 42043)
        if self.kind == "vote_interaction":
            box = an_object("checkbox", self.card.get("checkbox"), 42043)
            fields = {"question_key", "mode", "option_list"} | (
                {"disable"} if self.update else set()
            )
            known_fields(self.state, "checkbox", box, fields)
            words("checkbox", box, "question_key", code=42043, required=True, max_bytes=KEY_BYTES)
            mode = one_of("checkbox", box, "mode", (0, 1), default=0)
            options = self._options(box, 20, {"id", "text", "is_checked"})
            for one in options:
                if not isinstance(one.get("is_checked", False), bool):
                    raise ApiError(40058, "option_list.is_checked must be true or false")
            if mode == 0 and sum(one.get("is_checked", False) for one in options) > 1:
                raise ApiError(40058, "mode 0 allows one checked option")
            self._disable("checkbox", box)

    def _select(self, where: str, select: Json) -> None:
        fields = {"question_key", "title", "selected_id", "option_list"}
        known_fields(self.state, where, select, fields | ({"disable"} if self.update else set()))
        words(where, select, "question_key", code=42043, required=True, max_bytes=KEY_BYTES)
        words(where, select, "title")
        words(where, select, "selected_id")
        self._options(select, 10, {"id", "text"})
        self._disable(where, select)

    def _options(self, holder: Json, most: int, fields: set[str]) -> list[Json]:
        options = a_list("option_list", holder.get("option_list"), 1, most, 42037)
        for one in options:
            known_fields(self.state, "option_list", one, fields)
            words("option_list", one, "id", code=42040, required=True, max_bytes=OPTION_BYTES)
            self._text("option_list", one, "text", code=42041, required=True)
        unique("option ids", [one["id"] for one in options], 42040)
        return options

    def _disable(self, where: str, holder: Json) -> None:
        if not isinstance(holder.get("disable", False), bool):
            raise ApiError(40058, f"{where}.disable must be true or false")

    def _buttons(self) -> None:
        if self.kind == "button_interaction" and "replace_text" not in self.card:
            buttons = a_list("button_list", self.card.get("button_list"), 1, 6, 42038)
            keys = []
            for one in buttons:
                known_fields(
                    self.state, "button_list", one, {"type", "text", "style", "key", "url"}
                )
                self._text("button_list", one, "text", code=42038, required=True)
                one_of("button_list", one, "style", (1, 2, 3, 4), default=1)
                if one_of("button_list", one, "type", (0, 1), default=0) == 0:
                    keys.append(
                        words(
                            "button_list",
                            one,
                            "key",
                            code=42039,
                            required=True,
                            max_bytes=KEY_BYTES,
                        )
                    )
                else:
                    address("button_list", one, "url")
            unique("button keys", keys, 42039)
        if self.kind in ("vote_interaction", "multiple_interaction"):
            submit = an_object("submit_button", self.card.get("submit_button"), 42049)
            known_fields(self.state, "submit_button", submit, {"text", "key"})
            self._text("submit_button", submit, "text", code=42049, required=True)
            words("submit_button", submit, "key", code=42046, required=True, max_bytes=KEY_BYTES)

    def _task(self) -> None:
        task = self.card.get("task_id")
        needed = self.kind in INTERACTIVE or "action_menu" in self.card
        if task is None and (not needed or self.update):
            return  # an update keeps the task that the card was sent with
        if not isinstance(task, str) or not _TASK.fullmatch(task):
            raise ApiError(42014, "task_id: 1 to 128 of 0-9 A-Z a-z _ @ -")

    def _link(self, where: str, holder: Json, kinds: tuple[int, ...], code: int = 40058) -> None:
        kind = one_of(where, holder, "type", kinds, default=0, code=code)
        if kind == 1:
            address(where, holder, "url")
        elif kind == 2:
            words(where, holder, "appid", code=42030, required=True)

    def _text(
        self, where: str, holder: Json, name: str, *, code: int = 40058, required: bool = False
    ) -> None:
        text = words(where or self.kind, holder, name, code=code, required=required)
        full = f"{where}.{name}" if where else name
        seen = _SEEN[full]
        if self.kind == "vote_interaction":
            seen = _SEEN_VOTE.get(full, seen)
        if self.kind in ("vote_interaction", "multiple_interaction"):
            seen = _SEEN_FORMS.get(full, seen)
        if len(text) > seen:
            self.state.warnings.append(
                f"{self.kind} {full}: {len(text)} of {seen} characters: {text}"
            )


def check(state: State, app: App, card: Any) -> Checker:
    """A card that is sent for the first time."""
    checker = Checker(state, card)
    checker.check()
    if checker.kind in INTERACTIVE and not app.callback_url:
        raise ApiError(43012)
    return checker
