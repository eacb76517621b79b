"""Names and bodies that the tests of the fake share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

NOON = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SEND = "/v1.0/robot/oToMessages/batchSend"
CREATE = "/v1.0/card/instances/createAndDeliver"
UPDATE = "/v1.0/card/instances"
KEY43 = "1234567890123456789012345678901234567890123"
GROUP = "cidgroup=="


def words(text: str, **more: Any) -> dict[str, Any]:
    param = json.dumps({"title": "日报", "text": text}, ensure_ascii=False)
    body = {"robotCode": "dingexample0001", "msgKey": "sampleMarkdown", "msgParam": param}
    return {"userIds": ["lina"]} | body | more
