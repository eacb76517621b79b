"""The console: a page on this machine in which people talk with the bot, without any account."""
