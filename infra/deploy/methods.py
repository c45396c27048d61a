"""HEAD and OPTIONS of the deployed API: methods that the app answers but Chalice does not declare.

Chalice's own preflight is a constant answer of API Gateway with only one origin; ours calls the
function, which knows the list of origins.
"""

from copy import deepcopy

from chalicelib.http.app import also_answered
from infra.deploy.names import Doc

_HTTP = ("get", "post", "put", "patch", "delete")


def completed(definition: Doc) -> Doc:
    """The API's Swagger document, each path with every method that the app answers there."""
    paths = {path: _path(methods) for path, methods in definition["paths"].items()}
    return {**definition, "paths": paths}


def _path(methods: Doc) -> Doc:
    declared = [name for name in _HTTP if name in methods]
    # HEAD uses the integration of GET; OPTIONS that of any method.
    model = methods[declared[0]]
    every = also_answered(name.upper() for name in declared)
    return {**{name.lower(): deepcopy(model) for name in every}, **methods}
