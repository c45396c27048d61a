"""``python -m infra.ops forwarding``: units with an Open311 server of their own.

list              the units with a server, and the state of each
key UNIT          store the API key for a unit's server (read from standard input)
check UNIT        test its server: address, certificate, services; sends no report
secret UNIT       the secrets with which it can check our signatures
enable UNIT       send to it again, beginning with the failed reports
"""

import argparse
import getpass
import json
import sys
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.city.unit import Open311Server


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    from chalicelib import clock
    from chalicelib.domain.open311 import forwarding
    from chalicelib.services.city import cities
    from chalicelib.settings import settings

    parser = argparse.ArgumentParser("python -m infra.ops forwarding")
    parser.add_argument("--jurisdiction", default=settings().jurisdiction)
    parser.add_argument("command", choices=("list", *_COMMANDS))
    parser.add_argument("unit", nargs="?", default="")
    options = parser.parse_args(words)
    city = cities.current(options.jurisdiction, clock.now())
    if options.command == "list":
        print(json.dumps(_listed(city), indent=2, ensure_ascii=False))
        return 0
    chosen = forwarding.server_of(city, options.unit)
    if chosen is None:
        print(f"{options.unit!r} is no unit with a server of its own (units.json)", file=sys.stderr)
        return 1
    return _COMMANDS[options.command](city, options.unit, chosen)


def _listed(city: City) -> list[dict[str, Any]]:
    from chalicelib.storage import forwards

    return [
        {
            "unit": unit.code,
            "endpoint": unit.outside.endpoint,
            "key": forwards.key(city.jurisdiction, unit.code) is not None,
            **forwards.server(city.jurisdiction, unit.code),
        }
        for unit in city.units.values()
        if unit.outside
    ]


def _key(city: City, unit: str, chosen: Open311Server) -> int:
    from chalicelib.storage import forwards

    asks = sys.stdin.isatty()
    key = (getpass.getpass("API key: ") if asks else sys.stdin.readline()).strip()
    if not key:
        print("no key was given", file=sys.stderr)
        return 1
    forwards.put_key(city.jurisdiction, unit, key)
    return _check(city, unit, chosen)


def _check(city: City, unit: str, chosen: Open311Server) -> int:
    from chalicelib.domain.open311 import forwarding
    from chalicelib.outside import georeport
    from chalicelib.outside.fetch import Failed
    from chalicelib.services.forwarding import servers

    try:
        offered = georeport.services(servers.server(city.jurisdiction, unit, chosen))
    except (Failed, georeport.Declined) as failure:
        print(f"{chosen.endpoint}: {failure}", file=sys.stderr)
        return 1
    needed = {
        service.code: forwarding.code_there(service.code, chosen)[0]
        for service in city.services.values()
        if service.unit == unit
    }
    missing = {here: there for here, there in needed.items() if there not in offered}
    print(json.dumps({"services": offered, "missing": missing}, indent=2, ensure_ascii=False))
    return 1 if missing else 0


def _secret(city: City, unit: str, chosen: Open311Server) -> int:
    from chalicelib.services.forwarding import servers
    from chalicelib.services.platform import signing

    name = servers.webhook(city.jurisdiction, unit)
    print(json.dumps(signing.webhook_secrets(name), indent=2))
    return 0


def _enable(city: City, unit: str, chosen: Open311Server) -> int:
    from chalicelib.services.forwarding import servers

    print(f"{servers.enable(city, unit)} reports are sent again")
    return 0


_COMMANDS = {"key": _key, "check": _check, "secret": _secret, "enable": _enable}

if __name__ == "__main__":
    sys.exit(main())
