"""Fields of every message and event that the platform pushes to an app.  Protocol sheet, section 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Fields = dict[str, Any]


def selected_items(selected: Mapping[str, Sequence[str]]) -> Fields:
    """Absent without a question; one choice is one element, not a list."""
    if not selected:
        return {}
    items = [
        {"QuestionKey": question, "OptionIds": {"OptionId": list(options)}}
        for question, options in selected.items()
    ]
    return {"SelectedItems": {"SelectedItem": items}}


def approval(third_no: str, status: int, applicant: str, approver: str) -> Fields:
    """open_approval_change: 1 pending, 2 approved, 3 rejected, 4 cancelled."""
    item = {
        "ItemName": approver,
        "ItemUserId": approver,
        "ItemImage": "https://img.example.com/1",
        "ItemStatus": status,
        "ItemSpeech": "",
        "ItemOpTime": 1700000000,
    }
    node = {"NodeStatus": status, "NodeAttr": 1, "NodeType": 1, "Items": {"Item": [item]}}
    info = {
        "ThirdNo": third_no,
        "OpenSpName": "折扣",
        "OpenTemplateId": "tpl1",
        "OpenSpStatus": status,
        "ApplyTime": 1700000000,
        "ApplyUserName": applicant,
        "ApplyUserId": applicant,
        "ApplyUserParty": "1",
        "ApplyUserImage": "https://img.example.com/2",
        "ApprovalNodes": {"ApprovalNode": [node]},
        "NotifyNodes": {},
        "approverstep": 0,
    }
    return {"ApprovalInfo": info}


def built_in_approval(sp_no: str, status: int, applicant: str, approver: str) -> Fields:
    """sys_approval_change of the built-in approval app."""
    detail = {
        "Approver": {"UserId": approver},
        "Speech": "",
        "SpStatus": status,
        "SpTime": 1700000000,
    }
    info = {
        "SpNo": int(sp_no),
        "SpNoStr": sp_no,
        "SpName": "折扣",
        "SpStatus": status,
        "TemplateId": "tpl2",
        "ApplyTime": 1700000000,
        "Applyer": {"UserId": applicant, "Party": "1"},
        "SpRecord": [{"SpStatus": status, "ApproverAttr": 1, "Details": [detail]}],
        "StatuChangeEvent": 2,
    }
    return {"ApprovalInfo": info}


def all_events(user: str) -> list[tuple[str, Fields]]:
    """One of each event but those of cards (``fake.tap`` and ``fake.menu`` make these).

    The fields beside the common ones; ``FromUserName`` stands there where it is not *user*.
    """
    scan = {"ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}}
    pictures = {"SendPicsInfo": {"Count": 1, "PicList": {"item": [{"PicMd5Sum": "0" * 32}]}}}
    place = {
        "SendLocationInfo": {
            "Location_X": "31.2",
            "Location_Y": "121.5",
            "Scale": "16",
            "Label": "园区",
            "Poiname": "",
        },
        "AppType": "wxwork",
    }
    job = {"JobId": "j1", "JobType": "sync_user", "ErrCode": 0, "ErrMsg": "ok"}
    sys = {"FromUserName": "sys"}
    here = {"Latitude": 31.2, "Longitude": 121.5, "Precision": 65.0, "AppType": "wxwork"}
    return [
        ("subscribe", {"EventKey": ""}),
        ("unsubscribe", {"EventKey": ""}),
        ("enter_agent", {"EventKey": ""}),
        ("LOCATION", here),
        ("click", {"EventKey": "menu_today"}),
        ("CLICK", {"EventKey": "menu_today"}),
        ("view", {"EventKey": "https://bot.example.com/"}),
        ("view_miniprogram", {"EventKey": "pages/index"}),
        ("scancode_push", {"EventKey": "scan", **scan}),
        ("scancode_waitmsg", {"EventKey": "scan", **scan}),
        ("pic_sysphoto", {"EventKey": "photo", **pictures}),
        ("pic_photo_or_album", {"EventKey": "photo", **pictures}),
        ("pic_weixin", {"EventKey": "photo", **pictures}),
        ("location_select", {"EventKey": "place", **place}),
        ("batch_job_result", {**sys, "BatchJob": job}),
        *(
            ("change_contact", {**sys, "ChangeType": kind, "UserID": user})
            for kind in ("create_user", "update_user", "delete_user")
        ),
        *(
            ("change_contact", {**sys, "ChangeType": kind, "Id": 7})
            for kind in ("create_party", "update_party", "delete_party")
        ),
        ("change_contact", {**sys, "ChangeType": "update_tag", "TagId": 3}),
        ("open_approval_change", {**sys, **approval("T1", 2, user, "mgr01")}),
        (
            "sys_approval_change",
            {**sys, "AgentID": 3010040, **built_in_approval("202603020001", 2, user, "mgr01")},
        ),
        ("share_agent_change", sys),
        ("share_chain_change", sys),
        *(
            (name, {**sys, "EffectTime": 1700600000})
            for name in ("inactive_alert", "low_active_alert")
        ),
        *(
            (name, dict(sys))
            for name in ("close_inactive_agent", "reopen_inactive_agent", "low_active")
        ),
        ("active_restored", dict(sys)),
    ]
