"""The list of the JSON Schemas of a city folder's files, and one of them."""

from chalicelib.routes.schemas.blocks import many, record

FOLDER_SCHEMAS = record(
    "FolderSchemas",
    {
        "schemas": many(
            record(
                "FolderSchema",
                {
                    "name": {"type": "string"},
                    "title": {"type": "string"},
                    "description": {"type": "string"},
                    "path": {"type": "string"},
                },
            ),
            100,
        )
    },
)
JSON_SCHEMA = {"title": "JsonSchema", "type": "object", "additionalProperties": True}
