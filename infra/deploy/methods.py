"""HEAD and OPTIONS of the deployed API: methods that the app answers beside those of its routes.

Chalice declares neither. Its own preflight is a constant of API Gateway, which can name one origin
only; ours goes to the function, which knows the list of origins.
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
    # Where there is a GET, HEAD goes where it goes; OPTIONS goes where anything goes.
    model = methods[declared[0]]
    every = also_answered(name.upper() for name in declared)
    return {**{name.lower(): deepcopy(model) for name in every}, **methods}
