"""Filter policies: the quick check lets through what the emulator's own check lets through."""

import json
import random
from typing import Any

from ministack.services import sns

from infra.emulator.filter_policies import matching

CASES = 4_000


def policy(rng: random.Random) -> dict[str, Any]:
    """Mostly lists of texts, as the product makes them, and every other kind of rule."""
    others = ([{"prefix": "a"}], "a", [1], [{"exists": False}], [{"anything-but": ["b"]}])
    return {
        name: rng.choice(others)
        if rng.random() < 0.3
        else [rng.choice("abc") for _ in range(rng.randint(0, 3))]
        for name in rng.sample("xyz", rng.randint(0, 3))
    }


def attributes(rng: random.Random) -> dict[str, Any]:
    """Texts, arrays, and arrays that are none."""
    arrays = (json.dumps([rng.choice("abc"), rng.choice("abc"), 1, True]), "[]", "x", '{"a": 1}')
    return {
        name: {"DataType": "String", "StringValue": rng.choice("abc")}
        if rng.random() < 0.5
        else {"DataType": "String.Array", "StringValue": rng.choice(arrays)}
        for name in rng.sample("xyz", rng.randint(0, 3))
    }


def test_an_official_gets_the_messages_that_their_filter_policy_lets_through() -> None:
    """For plain policies and others, and for several subscriptions to one message."""
    own = sns._matches_filter_policy
    quick = matching(own, sns)
    rng = random.Random(16)
    let_through = 0
    for _ in range(CASES):
        message = attributes(rng)
        for _ in range(3):
            held = {"attributes": {"FilterPolicy": json.dumps(policy(rng))}}
            expected = own(held, message, "text")
            assert quick(held, message, "text") == expected, (held, message)
            let_through += expected
        assert quick({"attributes": {}}, message, "text")
    assert CASES / 3 < let_through < CASES * 2.7
