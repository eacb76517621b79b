"""The 智能机器人 of WeCom over its long connection: no public address, no fixed address needed."""
