"""Why a photo is refused: stable reasons; their texts are in ``rules/photos.json``."""

EMPTY = "empty"
NOT_A_PHOTO = "not_a_photo"
TYPE_MISMATCH = "type_mismatch"
POLYGLOT = "polyglot"
ANIMATED = "animated"
TOO_SMALL = "too_small"
TOO_LARGE = "too_large"
TOO_MANY_PIXELS = "too_many_pixels"
TOO_HEAVY = "too_heavy"
UNDECODABLE = "undecodable"
MISSING = "missing"
PROCESSING_FAILED = "processing_failed"
NOT_FETCHED = "not_fetched"

REASONS = (
    EMPTY, NOT_A_PHOTO, TYPE_MISMATCH, POLYGLOT, ANIMATED, TOO_SMALL, TOO_LARGE, TOO_MANY_PIXELS,
    TOO_HEAVY, UNDECODABLE, MISSING, PROCESSING_FAILED, NOT_FETCHED,
)  # fmt: skip


class PhotoRefused(ValueError):
    """A photo that is not accepted; ``reason`` is one of ``REASONS``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
