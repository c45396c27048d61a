"""The test city in a container that has served before, with short promises and with limits.

Races and histories (``tests.faults``) play in it thousands of times: ``reset`` empties everything
else and keeps the city.
"""

import time
from typing import Any

from tests.support import aws
from tests.support.world import BUNDLE, JURISDICTION, STAFF, WARDS, blob, spot

SPOTS = {ward: tuple(spot(ward).values()) for ward in WARDS}
"""The (lat, long) of the middle of each ward."""
ACKNOWLEDGE_HOURS = 8
# Short enough that the clocks of a history meet every step of the ladder.
RESOLVE_HOURS = {"pothole": 72, "bridge": 240, "litter": 48, "violence": 24}
LIMITS = {
    "device": [{"n": 40, "seconds": 600}],
    "address": [{"n": 200, "seconds": 3600}],
    "tickets": [{"n": 40, "seconds": 3600}],
}


def bundle() -> dict[str, Any]:
    """The city's rules, with these promises and limits."""
    services = [
        {
            **service,
            "acknowledge": {"hours": ACKNOWLEDGE_HOURS, "clock": "calendar"},
            "resolve": {"hours": RESOLVE_HOURS[service["code"]], "clock": "calendar"},
        }
        for service in BUNDLE["services"]
        if service["code"] in RESOLVE_HOURS
    ]
    return {**BUNDLE, "services": services, "overrides": [], "limits": LIMITS}


def publish() -> None:
    """Load the city into the present AWS."""
    from chalicelib import clock
    from chalicelib.services.city import cities

    cities.publish(bundle(), blob(), list(STAFF), clock.now())


def reset() -> None:
    """The city and nothing else, as a container that has served before sees it."""
    from chalicelib import clock
    from chalicelib.services.city import cities
    from chalicelib.services.city import staff as officials
    from chalicelib.settings import settings
    from chalicelib.storage import queues, signing_keys

    officials.forget()
    version = bundle()["version"]
    if JURISDICTION not in cities._pointers:
        aws.fresh()
        publish()
        cities.boundaries(JURISDICTION, cities.current(JURISDICTION, clock.now()).version)
    else:
        aws.empty(but_cities=True)
    # The caches must have the same age in each test.
    cities._pointers[JURISDICTION] = (clock.now(), version)
    signing_keys._cached = (time.monotonic(), aws.KEYS)
    for queue in (settings().messages_queue, settings().photos_queue):
        queues._url(queue)
