from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import importing, sheets
from storage import customers, lists, office, people, settings, world
from storage.database import Database

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Any:
    """Import rows of text as a csv file, or a file that is there."""

    def load(kind: str, *rows: str, path: Path | None = None) -> importing.Outcome:
        if path is None:
            path = tmp_path / f"{kind}.csv"
            path.write_text("\n".join(rows) + "\n", "utf-8")
        return importing.run(database, kind, path, now=NOW)

    return load


def reasons(outcome: importing.Outcome) -> dict[int, str]:
    return {one.line.number: one.reason for one in outcome.refused}


def test_a_whole_company(load: Any, database: Database) -> None:
    load(
        "people", "姓名,角色,上级,团队,企业微信账号", "李娜,销售,王磊,一组,lina", "王磊,经理,,华东,"
    )
    load(
        "customers",
        "名称,简称,负责人,区域,行业,等级",
        "恒基水泥有限公司,恒基、恒基水泥,李娜,华东,建材,A",
    )
    load("contacts", "客户,联系人,职务,拍板人", "恒基,赵国强,采购经理,是")
    load("products", "型号,标准价,底价", '电动闸板阀,"12,800",9800.5')
    load("competitors", "名称", "国泰", "宏胜")
    load("prices", "型号,标准价（万元）", "电动闸板阀,1.3")

    def look(session: Any) -> None:
        lina = people.by_name(session, "李娜")
        assert lina is not None
        assert (lina.role, lina.team) == ("rep", "一组")
        chain = people.managers_of(session, lina.id)
        assert [people.get(session, one).name for one in chain] == ["王磊"]  # type: ignore[union-attr]
        customer = customers.by_name(session, "恒基")
        assert customer is not None
        assert (customer.code, customer.owner_id, customer.tier) == ("KH-000001", lina.id, "A")
        [contact] = customers.contacts(session, customer.id)
        assert (contact.name, contact.decision_maker) == ("赵国强", True)
        product = office.products(session)[0]
        assert (product.list_price_fen, product.floor_price_fen) == (13_000_00, 9_800_50)
        assert set(world.lists(session).competitors) == {"国泰", "宏胜"}

    database.read(look)


def test_a_second_time_updates_what_changed_and_keeps_what_was_not_given(
    load: Any, database: Database
) -> None:
    load("customers", "name,region,tier", "A厂,华东,A", "B厂,华北,B")

    outcome = load("customers", "名称,等级", "A厂,B", "B厂,")

    assert (outcome.counts["updated"], outcome.counts["same"]) == (1, 1)
    found = database.read(lambda session: customers.by_name(session, "A厂"))
    assert found is not None
    assert (found.region, found.tier, found.code) == ("华东", "B", "KH-000001")


def test_bad_rows_are_refused_with_their_reason_and_the_others_stay(load: Any) -> None:
    load("people", "姓名,角色", "李娜,销售")

    outcome = load("customers", "名称,负责人", "A厂,李娜", "B厂,张三", "A厂,李娜", ",李娜", "C厂,")

    assert outcome.counts["added"] == 2
    assert set(reasons(outcome)) == {3, 4, 5}
    assert "张三" in reasons(outcome)[3]
    assert "第 2 行" in reasons(outcome)[4]


def test_the_report_can_be_mended_and_imported_again(load: Any, tmp_path: Path) -> None:
    outcome = load("products", "型号,标准价,备注", "=HYPERLINK(1),5,x", "球阀,很贵,y", "蝶阀,10,z")
    report = tmp_path / "report.csv"

    importing.write_report(outcome, report)

    assert report.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(report.read_text("utf-8-sig"))))
    assert rows[0] == ["行号", "原因", "型号", "标准价", "备注"]
    assert rows[1][0] == "3"
    assert "很贵" in rows[1][1]
    assert outcome.ignored == ("备注",)
    mended = tmp_path / "mended.csv"
    mended.write_text(report.read_text("utf-8-sig").replace("球阀,很贵", "球阀,9"), "utf-8")
    assert load("products", path=mended).counts["added"] == 1


def test_no_cell_of_a_report_runs_as_a_formula() -> None:
    assert sheets.safe("=1+1") == "'=1+1"
    assert sheets.safe("@x") == "'@x"
    assert sheets.safe("-5") == "-5"
    assert sheets.safe("恒基") == "恒基"


def test_circles_of_managers_are_refused(load: Any) -> None:
    outcome = load("people", "姓名,上级", "甲,乙", "乙,丙", "丙,甲", "丁,甲")

    assert len(outcome.refused) >= 1
    assert outcome.counts["added"] + len(outcome.refused) == 4


def test_a_short_name_that_is_another_customers_name_is_refused(load: Any) -> None:
    outcome = load("customers", "名称,简称", "恒基,", "恒基水泥有限公司,恒基")

    assert "恒基" in reasons(outcome)[3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_files_as_people_save_them(
    load: Any, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "list.csv"
    text = "客户名称,行业\n䶮湖水务有限公司,水务\n".replace(",", delimiter)
    path.write_bytes(text.encode(encoding))

    assert load("customers", path=path).counts["added"] == 1


@pytest.fixture
def book(tmp_path: Path) -> Any:
    """Write a workbook from rows of cells, and merge areas."""

    def book(*rows: tuple[Any, ...], merged: tuple[str, ...] = ()) -> Path:
        made = openpyxl.Workbook()
        page = made.active
        assert page is not None
        for row in rows:
            page.append(row)
        for area in merged:
            page.merge_cells(area)
        path = tmp_path / "book.xlsx"
        made.save(path)
        made.close()
        return path

    return book


def test_merged_cells_hold_for_their_whole_area(load: Any, book: Any, database: Database) -> None:
    path = book(
        ("2026 年客户表", None, None),
        ("名称", "区域", "电话"),
        ("A厂", "华东", 13800000000.0),
        ("B厂", None, None),
        merged=("A1:C1", "B3:B4"),
    )

    assert load("customers", path=path).counts["added"] == 2

    found = database.read(lambda session: customers.by_name(session, "B厂"))
    assert found is not None
    assert found.region == "华东"


def test_a_formula_without_its_value_is_refused_and_one_with_it_is_read(
    load: Any, book: Any, tmp_path: Path
) -> None:
    path = book(("型号", "标准价"), ("球阀", "=1+1"), ("蝶阀", "=2+2"), ("闸阀", 7))
    _calculated(path, cell="B3", value="4")

    outcome = load("products", path=path)

    assert outcome.counts["added"] == 2
    assert list(reasons(outcome)) == [2]
    assert "B2" in reasons(outcome)[2]


def _calculated(path: Path, *, cell: str, value: str) -> None:
    """Give one formula the value that a spreadsheet program would have stored."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    text = parts[sheet].decode()
    at = text.index(f'<c r="{cell}"')
    end = text.index("</c>", at)
    one = text[at:end].replace("<v />", "").replace("<v></v>", "").replace("<v/>", "")
    parts[sheet] = (text[:at] + one + f"<v>{value}</v>" + text[end:]).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   \n",
        b"PK\x03\x04 not a workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old excel",
        b"\x00\x01\x02\x03" * 100,
        b"\xff\xfe\x00",
        "没有,这种,表头\n1,2,3\n".encode(),
    ],
)
def test_what_is_no_table_is_told_in_words(load: Any, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file.xlsx"
    path.write_bytes(data)

    with pytest.raises(sheets.SheetError, match=r"file\.xlsx"):
        load("customers", path=path)


def test_a_missing_file_is_told(load: Any, tmp_path: Path) -> None:
    with pytest.raises(sheets.SheetError, match="打不开"):
        load("customers", path=tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    ("text", "fen"),
    [("12,800", 1_280_000), ("¥9.9", 990), ("1.2万元", 1_200_000), ("3千元", 300_000), ("0", 0)],
)
def test_prices_as_people_write_them(text: str, fen: int) -> None:
    assert importing.money_fen(text) == fen


@given(st.text(max_size=12))
def test_any_price_is_a_number_or_a_refusal(text: str) -> None:
    try:
        assert isinstance(importing.money_fen(text), int)
    except lists.ListRefused as refusal:
        assert importing.reason(refusal)


@given(st.binary(max_size=300))
def test_any_bytes_are_lines_or_words(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "file.csv"
    path.write_bytes(data)
    try:
        sheets.read(path)
    except sheets.SheetError as error:
        assert "file.csv" in str(error)


def test_an_import_is_on_the_log_and_makes_the_lists_new(load: Any, database: Database) -> None:
    before = database.read(lambda session: settings.get(session, settings.WORLD_VERSION))

    load("competitors", "名称", "国泰")

    assert database.read(lambda session: settings.get(session, settings.WORLD_VERSION)) != before
    [entry] = database.read(office.audit_log)
    assert (entry.action, entry.new) == ("import.competitors", {"added": 1, "refused": 0})


def test_codes_are_unique_and_counted_on(load: Any, database: Database) -> None:
    load("customers", "名称,编号", "A厂,KH-000002", "B厂,", "C厂,", "D厂,KH-000002")

    codes = [
        found.code
        for name in ("A厂", "B厂", "C厂")
        if (found := database.read(lambda session, n=name: customers.by_name(session, n)))
    ]
    assert codes == ["KH-000002", "KH-000001", "KH-000003"]
