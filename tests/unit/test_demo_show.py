"""The ending of the demo, as somebody reads it who works in a city."""

import re
from typing import Any

from infra.demo.show import ending

DOCUMENT: dict[str, Any] = {
    "filed": 100,
    "accepted": 96,
    "refused": {"outside_area": 4},
    "closed": {"verified": 27, "unverified": 33, "duplicate": 13, "not_ours": 4, "withdrawn": 2},
    "open": {"submitted": 8, "in_progress": 9},
    "breached": {"acknowledge": 81, "resolve": 51},
    "escalated": {"1": 55, "2": 44},
    "messages_to_officials": 693,
    "fullest_hour": {"official": "officer-1", "hour": "2017-02-21T08", "messages": 19},
}


def test_an_official_reads_the_result_in_sentences_without_names_of_fields() -> None:
    text = ending(DOCUMENT, {"the map equals the answers": True, "every message arrives": True})
    assert text.startswith("In short\n  People filed 100 reports.")
    assert "refused 4: they lie outside the city." in text
    assert "79 reports are closed:" in text
    assert "17 reports are still open." in text
    assert text.endswith("2 of 2 checks passed. The system did what it must do.")
    assert re.findall(r"\w+_\w+|[{}\[\]]", text) == []


def test_the_ending_names_each_check_that_failed() -> None:
    text = ending(DOCUMENT, {"the map equals the answers": False, "every message arrives": True})
    assert text.endswith("1 of 2 checks passed. These failed:\n    - the map equals the answers")
