"""No report stays merged into a rejected one, in any order of the steps."""

from itertools import permutations

import pytest

from tests.support.world import World, citizen, faults, official

# What happens to one of two duplicates, and to their original: (proposed, decided) in any order
# with the rejection of the original and the sweep.
ORDERS = sorted(
    order
    for order in set(permutations(("protect", "decide", "reject", "sweep")))
    if order.index("protect") < order.index("decide")
    and order.index("reject") < order.index("sweep")
)


def family(world: World, name: str) -> tuple[str, list[str]]:
    """An original and two duplicates, the oldest first."""
    found = []
    for number in range(3):
        world.advance(minutes=1)
        found.append(world.file(citizen(f"{name}{number}"))["id"])
    for one in found[1:]:
        world.act(official("officer1"), one, "merge", into=found[0])
    return found[0], found[1:]


def happen(world: World, step: str, original: str, guarded: str, decision: str) -> None:
    """One step."""
    if step == "protect":
        who = citizen(world.head(guarded).reporter.removeprefix("d_"))  # type: ignore[union-attr]
        world.act(who, guarded, "protect", service="misconduct", reason="It is.")
    elif step == "reject":
        world.act(official("officer1"), original, "reject", reason_code="spam", text="No.")
    elif step == "sweep":
        world.sweep()
    elif decision == "lapse":
        world.advance(days=4)
        world.sweep()
    else:
        words = {"reason": "No such matter."} if decision == "return" else {}
        world.act(official("safe"), guarded, decision, **words)


@pytest.mark.parametrize(
    ("which", "decision"), [(0, "return"), (1, "return"), (0, "lapse"), (0, "take")]
)
def test_every_duplicate_of_a_rejected_report_is_freed_in_any_order(
    world: World, which: int, decision: str
) -> None:
    """Also a duplicate that is proposed for protection: it opens, or follows the new original."""
    for number, order in enumerate(ORDERS):
        original, merged = family(world, f"{number}x")
        for step in order:
            world.advance(minutes=1)
            happen(world, step, original, merged[which], decision)
        world.sweep()
        told = f"{order}: {[world.head(one).merged_into for one in merged]}"
        heads = [world.head(one) for one in merged]
        assert all(head.merged_into != original for head in heads), told
        assert all(head.open or world.head(head.merged_into or "").open for head in heads), told
        assert world.head(original).merged == 0, told
        for one in (original, *merged):
            assert faults(world.head(one), world.links(one)) == [], told


def test_the_others_follow_the_oldest_that_is_not_proposed(world: World) -> None:
    """The oldest waits for the protected unit: it opens and stays alone; the next one is the new
    original, and the third is merged into it."""
    original, (oldest, next_one) = family(world, "a")
    world.advance(minutes=1)
    third = world.file(citizen("a9"))["id"]
    world.act(official("officer1"), third, "merge", into=original)
    happen(world, "protect", original, oldest, "return")
    happen(world, "reject", original, oldest, "return")
    world.advance(minutes=1)
    world.sweep()
    assert [world.head(one).state for one in (oldest, next_one)] == ["submitted", "submitted"]
    assert world.head(third).merged_into == next_one
    happen(world, "decide", original, oldest, "return")
    assert world.head(oldest).state == "submitted"
    assert not world.head(oldest).hidden
