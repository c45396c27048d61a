"""``make demo``: a city's days replayed through the public API, on a compressed clock.

    python -m infra.demo                      926 real reports of February 2017, or made-up ones
    python -m infra.demo --limit 50 --twice   fewer, and every request sent a second time

Everything that the summary counts comes from the API's answers and from the alerts that a queue
subscribed to the topic received; docs/demo.md says how officials and citizens are drawn.
"""
