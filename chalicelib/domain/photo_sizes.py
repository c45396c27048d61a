"""The sizes of pictures. The process that decodes a photo imports only this of the domain.

Tests: tests/unit/test_develop.py
"""

SMALL, LARGE, MASTER = 320, 1280, 2048
# Rectangles of a picture are in parts of its size.
SCALE = 1000


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture scaled down to fit a square of ``side``; never scaled up."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))
