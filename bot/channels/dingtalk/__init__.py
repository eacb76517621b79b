"""DingTalk: Stream or HTTP callback, the API client, cards and the directory of an internal app."""
