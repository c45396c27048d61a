"""The HTTP edge: routes as declarations, requests read strictly, problems, the OpenAPI document."""
