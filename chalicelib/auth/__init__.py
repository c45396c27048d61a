"""Who is asking: device tokens and OIDC access tokens, verified."""
