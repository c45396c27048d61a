"""A picture's perceptual hash: similar for the same picture scaled, encoded or brightened."""

from PIL import Image

_SIDE = 8
_FAINT = 2
_LEAST = 32


def perceptual_hash(image: Image.Image) -> str | None:
    """128 bits in hexadecimal ("dHash", Krawetz 2013); ``None`` with too little detail.

    Each bit says whether a cell of an 8 by 8 grid is brighter than its neighbour to the left, or
    than the one above. A dark picture, for example, has too little detail to compare.
    """
    grey = image.convert("L")
    rows = grey.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX).tobytes()
    columns = grey.resize((_SIDE, _SIDE + 1), Image.Resampling.BOX).tobytes()
    steps = [
        rows[y * (_SIDE + 1) + x + 1] - rows[y * (_SIDE + 1) + x]
        for y in range(_SIDE)
        for x in range(_SIDE)
    ]
    steps += [columns[at + _SIDE] - columns[at] for at in range(_SIDE * _SIDE)]
    if sum(abs(step) > _FAINT for step in steps) < _LEAST:
        return None
    bits = sum((step > 0) << at for at, step in enumerate(steps))
    return f"{bits:032x}"
