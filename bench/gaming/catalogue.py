"""Every trick by name, and a control that changes nothing."""

from dataclasses import replace

from bench.gaming import tricks_before, tricks_more, tricks_table
from bench.gaming.tricks import Trick

# Everything is lived again without a change: its gain must be 0.
CONTROL = Trick(
    "control", "control", "no trick: every report is lived again",
    lambda cases, _: [replace(case) for case in cases], 0.0,
)  # fmt: skip
TRICKS = {
    trick.name: trick
    for trick in (CONTROL, *tricks_table.TRICKS, *tricks_before.TRICKS, *tricks_more.TRICKS)
}
