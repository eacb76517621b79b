"""The little XML that WeCom sends: elements and text, no document type, so no entities."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, ParseError, XMLParser
from xml.parsers import expat

from sales.errors import BotError

_DOCTYPE: Final = b"<!DOCTYPE"


class BadXml(BotError):
    """Not the plain XML that the platform sends."""

    code = "bad_xml"


def parse(data: bytes) -> Element:
    """The root element.

    Raises:
        BadXml: no XML in UTF-8, or XML with a document type, whatever it declares.
    """
    if b"\x00" in data:  # in another encoding the next line would look for the wrong bytes
        raise BadXml("encoding")
    if _DOCTYPE in data:
        _refuse_document_type(data)
    parser = XMLParser(encoding="utf-8")
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (ParseError, ValueError) as error:
        raise BadXml(str(error)) from None
    return root


def text(node: Element | None, *names: str) -> str:
    """The text of the first child that has one of these names; '' when there is none."""
    for name in names:
        if node is not None and (found := node.findtext(name)):
            return found.strip()
    return ""


def _refuse_document_type(data: bytes) -> None:
    """The letters may also stand in what somebody wrote; only a parser can tell."""

    def refuse(*_: object) -> None:
        raise BadXml("document type")

    parser = expat.ParserCreate("utf-8")
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from None
