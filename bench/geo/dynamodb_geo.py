"""The peer on DynamoDB: PyPI's dynamodbgeo 0.0.3, used as in its README, on the same emulator.

Its table has only the open reports: it cannot filter by state, and its README recommends a table
for each kind. It reads whole reports, because its index projects all attributes.
"""

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3

from bench.geo.load import load
from bench.geo.ours import head
from bench.geo.points import Box, Circle, Point
from bench.geo.units import item_size, read_units

# Its sphere is smaller than the mean Earth of the other systems.
_RADII = 6_367_000 / 6_371_008.8


class Peer:
    """A filled table of the library; ``cost`` counts calls, items and units since ``reset``."""

    def __init__(self, points: list[Point], key_length: int) -> None:
        import dynamodbgeo

        self._library = dynamodbgeo
        self._client = _Counted(boto3.client("dynamodb"))
        name = f"dynamodbgeo-{key_length}"
        self._config = dynamodbgeo.GeoDataManagerConfiguration(self._client, name)
        self._config.hashKeyLength = key_length
        table = dynamodbgeo.GeoTableUtil(self._config)
        with contextlib.redirect_stdout(io.StringIO()):
            table.create_table(table.getCreateTableRequest())
        self._manager = dynamodbgeo.GeoDataManager(self._config)
        load(name, self._items(points))

    @property
    def cost(self) -> "_Counted":
        """The counts of DynamoDB calls."""
        return self._client

    def box(self, box: Box) -> list[int]:
        """The numbers of the points in a box."""
        south, west, north, east = box
        request = self._library.QueryRectangleRequest(
            self._library.GeoPoint(south, west), self._library.GeoPoint(north, east), {}
        )
        return [int(item["rangeKey"]["S"]) for item in self._manager.queryRectangle(request)]

    def circle(self, circle: Circle) -> list[int]:
        """The numbers of the points in a circle."""
        lat, long, radius = circle
        centre = self._library.GeoPoint(lat, long)
        request = self._library.QueryRadiusRequest(centre, radius * _RADII, {}, sort=True)
        return [int(item["rangeKey"]["S"]) for item in self._manager.queryRadius(request)]

    def _items(self, points: list[Point]) -> Iterator[dict[str, Any]]:
        manager = self._library.S2Manager()
        for point in points:
            lat, long = point.lat7 / 1e7, point.long7 / 1e7
            code = manager.generateGeohash(self._library.GeoPoint(lat, long))
            key = manager.generateHashKey(code, self._config.hashKeyLength)
            doc = json.dumps(head("peer", point).to_doc(), separators=(",", ":"))
            yield {
                "hashKey": {"N": str(key)},
                "rangeKey": {"S": str(point.number)},
                "geohash": {"N": str(code)},
                "geoJson": {"S": f"{lat},{long}"},
                "doc": {"S": doc},
            }


def cover(box: Box) -> Any:
    """The cells of s2sphere's RegionCoverer for a box, as the library asks for them."""
    from s2sphere import LatLng, LatLngRect, RegionCoverer

    south, west, north, east = box
    corners = LatLng.from_degrees(south, west), LatLng.from_degrees(north, east)
    return RegionCoverer().get_covering(LatLngRect.from_point_pair(*corners))


class _Counted:
    """A client that counts its queries.

    The library passes the start key of a range's last page to the next range, where DynamoDB
    refuses it (its issue 43). Here the key is dropped, otherwise nothing could be measured.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.reset()

    def reset(self) -> None:
        """Set the counts to zero."""
        self.calls = self.items = self.leaked = 0
        self.units = 0.0

    def query(self, **query_input: Any) -> Any:
        """A Query, counted."""
        query_input = dict(query_input)
        start, values = (
            query_input.get("ExclusiveStartKey"),
            query_input["ExpressionAttributeValues"],
        )
        if start:
            first, last = (int(values[name]["N"]) for name in (":geohashMin", ":geohashMax"))
            inside = first <= int(start["geohash"]["N"]) <= last
            if not inside or start["hashKey"] != values[":hashKey"]:
                del query_input["ExclusiveStartKey"]
                self.leaked += 1
        answer = self._client.query(**query_input)
        self.calls += 1
        self.items += len(answer["Items"])
        self.units += read_units(sum(map(item_size, answer["Items"])))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)
