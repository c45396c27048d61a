"""``python -m infra.city.schemas``: write the schemas to chalicelib/rules/schemas."""

import json

from chalicelib.rules import FOLDER
from infra.city.schemas import schemas
from infra.city.schemas.parts import Schema

PLACE = FOLDER / "schemas"


def text(schema: Schema) -> str:
    """A schema as it is committed."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (PLACE / name).write_text(text(schema), encoding="utf-8")
    print(f"wrote {len(schemas())} schemas")
