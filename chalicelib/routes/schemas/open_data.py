"""The files of open data."""

from chalicelib.routes.schemas.blocks import COUNT, MOMENT, many, maybe, record

OPEN_DATA = record(
    "OpenData",
    {
        "updated": maybe(MOMENT),
        "licence": record(
            "Licence",
            {
                "name": {"type": "string"},
                "title": {"type": "string"},
                "path": {"type": "string"},
            },
        ),
        "files": many(
            record(
                "OpenDataFile",
                {
                    "name": {"type": "string"},
                    "path": {"type": "string"},
                    "mediatype": {"type": "string"},
                    "rows": COUNT,
                    "bytes": COUNT,
                    "hash": {"type": "string", "description": "Of the file: `sha256:<hex>`."},
                    "url": {"type": "string", "description": "Good for at least ten minutes."},
                },
            ),
            10_000,
        ),
    },
)
