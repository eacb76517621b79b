"""WeCom: the callback, the client, the cards and the directory of the company's own app."""
