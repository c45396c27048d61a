"""The viewer of the API's description: Swagger UI from the ``offapi`` package.

Its files are served by exact name; the security policy lets the page load nothing from other
servers.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from chalicelib.errors import Problem

PACKAGE = "offapi"
SPECIFICATION = "v1/openapi.json"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
ASSET_HEADERS = {"Cache-Control": "public, max-age=86400"}

_FILES = {
    "swagger-ui.js": ("swagger_bundle.js", "text/javascript; charset=utf-8"),
    "swagger-ui.css": ("swagger_style.css", "text/css; charset=utf-8"),
}
_START = f"""window.addEventListener("load", () => {{
  window.ui = SwaggerUIBundle({{
    url: new URL("{SPECIFICATION}", document.baseURI).href,
    dom_id: "#api",
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  }});
}});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tanggap API</title>
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<main id="api"></main>
<noscript>
<p>This page needs JavaScript. The description itself: <a href="{0}">{0}</a></p>
<p lang="id">Halaman ini memerlukan JavaScript. Uraiannya: <a href="{0}">{0}</a></p>
</noscript>
<script src="docs/assets/swagger-ui.js"></script>
<script src="docs/assets/start.js"></script>
</body>
</html>
"""


def page() -> str:
    """The HTML page at ``/docs``; serve it with ``HEADERS``."""
    return _PAGE.format(SPECIFICATION)


@cache
def asset(name: str) -> tuple[str, str]:
    """(text, media type) of ``/docs/assets/{name}``. Raises ``Problem("not_found")``."""
    if name == "start.js":
        return _START, "text/javascript; charset=utf-8"
    file, media = _FILES.get(name, ("", ""))
    if not file:
        raise Problem("not_found")
    return (_folder() / file).read_text("utf-8"), media


def _folder() -> Path:
    # Find the package without importing it: the import would read nine megabytes.
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Problem("not_found")
    return Path(spec.origin).parent
