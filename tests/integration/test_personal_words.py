"""Telephone and identity numbers and e-mail addresses in what people write."""

from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.input.redaction import of_country
from chalicelib.services.reports import queries
from infra.city import importing
from infra.city.findings import CityErrors
from infra.city.import_mapping_checks import checked
from infra.city.load import prepare
from tests.support.city_folder import files, write
from tests.support.world import JURISDICTION, PUBLIC, World

SAID = "Hubungi Bu Sri (021) 555 1234, https://maps.google.com/?q=-6.1754,106.8272"


def test_the_receipt_names_what_looks_personal_and_leaves_it_to_the_reporter(world: World) -> None:
    filed = world.file(description=SAID, landmark="dekat sri@contoh.example")
    (phone, mail) = filed["personal_data"]
    assert SAID[phone["start"] : phone["end"]] == "(021) 555 1234"
    assert (phone["field"], phone["kind"], mail["field"], mail["kind"]) == (
        "description", "phone", "landmark", "email",
    )  # fmt: skip
    assert queries.public(PUBLIC, filed["id"])["description"] == SAID


def test_a_reporter_who_asks_for_it_has_such_numbers_hidden_at_filing(world: World) -> None:
    filed = world.file(description=SAID, landmark="sri@contoh.example", mask=True)
    assert filed["personal_data"] == []
    view = queries.public(PUBLIC, filed["id"])
    assert view["description"] == SAID.replace("(021) 555 1234", "[…]")
    assert view["landmark"] == "[…]"


def test_an_import_hides_by_the_citys_own_patterns(world: World) -> None:
    from chalicelib.services.city import cities
    from tests.support.world import spot

    where = {name: str(value) for name, value in spot("D1-W1").items()}
    row = {"id": "1", "created": "2026-01-01T00:00:00Z", "closed": "", "service": "pothole",
           "status": "open", "landmark": "", "description": SAID, **where}  # fmt: skip
    mapping = {"source": "old", "columns": {name: name for name in row}, "statuses":
               {"open": "open"}, "services": {}}  # fmt: skip
    city = cities.current(JURISDICTION, world.now)
    outcome = importing.run(city, iter([row]), checked(mapping, city), world.now)
    assert (outcome.imported, outcome.findings) == (1, [(1, "1", "personal_data_hidden")])
    from chalicelib.storage import reports

    heads, _ = reports.heads_page(None, 10)
    view = queries.public(PUBLIC, heads[0].id)
    assert view["description"] == SAID.replace("(021) 555 1234", "[…]")


RULE: dict[str, Any] = {
    "kind": "identity", "shape": "AA 999999", "finds": ["AB 123456", "AB123456"],
    "passes": ["AB 12"],
}  # fmt: skip


def test_a_city_names_its_country_and_adds_patterns_of_its_own(tmp_path: Path) -> None:
    given = files()
    given["city.json"]["country"] = "DE"
    given["patterns.json"] = {"patterns": [RULE]}
    city = City.from_json(prepare(write(tmp_path, given)).bundle)
    assert {"kind": "identity", "shape": "AA 999999"} in city.patterns
    assert [rule for rule in city.patterns if "finds" in rule] == []
    assert len(city.patterns) == len(of_country("DE")) + 1


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({**RULE, "finds": ["A 1"]}, "does not find 'A 1'"),
        ({**RULE, "passes": ["XY 123456"]}, "finds something in"),
        ({**RULE, "shape": "(a+)+$"}, "shape"),
        ({"kind": "phone", "digits": [3, 4], "finds": ["123"]}, "from 5 to 24"),
        ({"kind": "phone", "digits": [5, 9], "starts": ["x"], "finds": ["12345"]}, "begins with"),
        (
            {"kind": "phone", "digits": [5, 9], "groups": [[0]], "finds": ["12345"]},
            "groups[0][0]: must",
        ),
        ({"kind": "phone", "digits": [5, 9]}, "finds"),
        ({"kind": "phone", "pattern": ".*", "digits": [5, 9], "finds": ["12345"]}, "pattern"),
    ],
)
def test_a_pattern_that_does_not_do_what_its_examples_say_is_a_fault(
    tmp_path: Path, rule: dict[str, Any], fault: str
) -> None:
    given = files()
    given["patterns.json"] = {"patterns": [rule]}
    with pytest.raises(CityErrors) as found:
        prepare(write(tmp_path, given))
    assert any(fault in finding for finding in found.value.findings), found.value.findings
