"""A tracking code is found however a person types it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import ids
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge


@pytest.fixture(name="code")
def code_fixture(edge: Edge) -> str:  # noqa: F811
    receipt = edge.file(edge.device()).body
    return str(receipt["code"])


def test_a_code_is_found_in_any_case_with_or_without_dash_and_spaces(
    edge: Edge,  # noqa: F811
    code: str,
) -> None:
    wanted = edge.get(f"/v1/track/{code}").body
    plain = code.replace("-", "")
    for typed in (
        code.lower(), plain, plain.lower(), plain[:4] + "%20" + plain[4:], f"%20{code}%20",
        code.replace("-", "%20-%20"), code.replace("0", "o").replace("1", "L"),
    ):  # fmt: skip
        reply = edge.get(f"/v1/track/{typed}")
        assert (reply.status, reply.body) == (200, wanted), typed


@pytest.mark.parametrize(
    "typed", ["ABCD-EFG", "ABCD-EFGHJ", "ABCD_EFGH", "ABCD-EFGU", "%20", "ÄBCD-EFGH"]
)
def test_a_text_that_is_not_a_code_is_404(edge: Edge, typed: str) -> None:  # noqa: F811
    assert edge.get(f"/v1/track/{typed}").status == 404


@given(st.integers(), st.lists(st.sampled_from(["-", " ", "%20", ""]), min_size=9, max_size=9),
       st.booleans())  # fmt: skip
def test_every_code_is_read_as_itself(seed: int, between: list[str], lower: bool) -> None:
    ids.use(random.Random(seed))
    code = ids.new_code()
    ids.use(None)
    typed = "".join(a + b for a, b in zip(between, [*code.replace("-", ""), ""], strict=True))
    assert ids.code_of(typed.lower() if lower else typed) == code


@given(st.text(max_size=30))
def test_nothing_else_is_a_code(text: str) -> None:
    found = ids.code_of(text)
    assert found is None or ids.code_of(found) == found
