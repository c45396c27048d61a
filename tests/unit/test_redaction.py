"""Personal data in a text are found by a country's rules; places are kept."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.input.redaction import defaults, find_personal, of_country, redact

COUNTRIES = sorted(set(defaults()["countries"]) - {"*"})


@pytest.mark.parametrize(
    ("country", "text", "kind"),
    [
        ("US", "(555) 123-4567", "phone"),
        ("DE", "0171 2345678", "phone"),
        ("ID", "(021) 555 1234", "phone"),
        ("ID", "0812-3456-7890", "phone"),
        ("ID", "+62 812 3456 7890", "phone"),
        ("ID", "3171234567890001", "identity"),
        ("US", "078-05-1120", "identity"),
        ("DE", "jörg@müller.example", "email"),
        ("ID", "sítí@contoh.example", "email"),
        ("ID", "a.b+c@xn--mller-kva.example", "email"),
    ],
)
def test_a_number_or_address_of_a_person_is_found(country: str, text: str, kind: str) -> None:
    said = f"Jl. Melati 12 RT 5, {text} mohon, terima kasih."
    (found,) = find_personal(said, of_country(country))
    assert (said[found.start : found.end], found.kind) == (text, kind)
    assert redact(said, of_country(country)) == said.replace(text, "[…]")


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize(
    "text",
    [
        "https://maps.google.com/?q=-6.1754,106.8272",
        "https://www.google.com/maps/place/Monas/@-6.17,106.82,17z/data=!3d-6.1753924!4d106.8271528",
        "https://www.openstreetmap.org/#map=17/-6.17540/106.82720",
        "https://maps.app.goo.gl/08123456789012345",
        "geo:-6.1753924,106.8271528",
        "-6.1753924, 106.8271528",
        "@-6.17,106.82,17z",
        "lat 106.8271528",
        "Pada 28-11-2026 17:45 di RT 005/RW 012, blok 12-14",
        "Kerugian Rp 1.500.000, lubang 120 cm x 80 cm",
    ],
)
def test_places_dates_and_amounts_stay(country: str, text: str) -> None:
    assert find_personal(text, of_country(country)) == []


@pytest.mark.parametrize("country", ["*", *COUNTRIES])
def test_every_rule_that_ships_finds_its_examples(country: str) -> None:
    rules = of_country(country)
    for rule in defaults()["countries"][country]:
        for example in rule["finds"]:
            assert [example[one.start : one.end] for one in find_personal(example, rules)] == [
                example
            ]
        for example in rule["passes"]:
            assert find_personal(example, [rule]) == []


def test_a_house_number_before_a_phone_number_stays() -> None:
    assert redact("No. 12 0812 3456 7890", of_country("ID")) == "No. 12 […]"


def test_an_address_in_a_link_to_a_map_is_still_an_address() -> None:
    assert redact("https://maps.example/?q=a@b.example", of_country("ID")).endswith("[…]")


@given(st.text(alphabet="0123456789 .-+()@a/zé:,\n", max_size=300), st.sampled_from(COUNTRIES))
def test_matches_lie_in_the_text_and_do_not_overlap(text: str, country: str) -> None:
    rules = of_country(country)
    found = find_personal(text, rules)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("part", ["1 ", "1-", "(", "a@", "a.", "1.1,", "@a.", "0", "+0 ", "geo:"])
def test_a_very_repetitive_text_is_read_to_its_end(part: str) -> None:
    text = part * (8000 // len(part)) + " 0812 3456 7890"
    assert find_personal(text, of_country("ID"))[-1].end == len(text)
