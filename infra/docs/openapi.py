"""``python -m infra.docs.openapi``: write the API's description to docs/openapi.json."""

import json
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"


def text() -> str:
    """The document as it is committed."""
    import app
    from chalicelib.http import openapi

    assert app.app.routes
    return json.dumps(openapi.document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text())
    print(f"wrote {DOCUMENT.name}")
