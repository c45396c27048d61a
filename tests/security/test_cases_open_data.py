"""Cases 96 to 98: open data has no formulas and no personal data."""

import csv
import io
import zipfile

import pytest

from chalicelib.domain.open_data import formats
from chalicelib.services.city import cities
from chalicelib.services.open_data import publishing
from chalicelib.storage import files
from tests.security.edge import Edge
from tests.support import aws
from tests.support.world import JURISDICTION

CONTACT = {"name": "Namarahasia", "email": "surat.rahasia@example.org", "phone": "+628120000999"}


@pytest.mark.parametrize(
    "text",
    ["=HYPERLINK(\"http://x\")", "+1", "-1+cmd", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "－1",
     "　＋1"],
)  # fmt: skip
def test_case_96_no_cell_is_a_formula(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(formats.cell(text), newline="")))
    assert cell.startswith("'")
    assert cell[1:] == text


@pytest.mark.parametrize("text", ["biasa", 'a "b", c', "baris\nbaru", "", "é 漢 🌊", "a=b", "1-2"])
def test_case_96_other_texts_are_as_they_were(text: str) -> None:
    (cell,) = next(csv.reader(io.StringIO(formats.cell(text), newline=""))) or [""]
    assert cell == text


def test_case_97_a_browser_saves_a_file_by_a_plain_name(edge: Edge) -> None:
    edge.file(edge.device(), description="../../etc/passwd\r\nX: y")
    edge.project()
    publishing.publish(edge.now)
    held = aws.backend("s3").get_object("tanggap-files", f"open-data/{JURISDICTION}/2026-11.csv")
    assert held.metadata["Content-Disposition"] == 'attachment; filename="2026-11.csv"'


def test_case_98_nothing_personal_and_nothing_protected_is_in_any_file(edge: Edge) -> None:
    me = edge.device()
    shown = edge.file(me, contact=CONTACT, description="Lubang").body["id"]
    hidden = edge.file(me, service="violence", description="Rahasiabesar").body["id"]
    assert edge.act(edge.staff("officer1"), shown, "assign", person="s_worker1").status == 200
    edge.project()
    publishing.publish(edge.now)
    names = [
        file["path"] for file in publishing.listed(cities.current(JURISDICTION, edge.now))["files"]
    ]
    assert len(names) == 6
    uid = edge.head(shown).reporter
    for name in names:
        data = files.get(f"open-data/{JURISDICTION}/{name}") or b""
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                data = b"".join(archive.read(one) for one in archive.namelist())
        text = data.decode("utf-8", "replace")
        assert shown in text
        secrets = [*CONTACT.values(), uid, "s_worker1", hidden, "Rahasiabesar"]
        assert not [secret for secret in secrets if secret in text], name
