"""``make demo``: some weeks of a city, played through the public API on a compressed clock.

    python -m infra.demo                      926 real reports of February 2017, or made-up ones
    python -m infra.demo --limit 50 --twice   fewer, and every request sent a second time

All counts come from the API's answers and from the alerts that arrive in a queue subscribed to the
topic. docs/demo.md describes how officials and citizens behave.
"""
