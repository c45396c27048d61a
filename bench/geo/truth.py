"""The points in a box or a circle, by brute force."""

from bisect import bisect_left, bisect_right

from bench.geo.points import Box, Circle, Point
from chalicelib.domain.map.geohash import box_around, distance_m


class Truth:
    """Points sorted by latitude."""

    def __init__(self, points: list[Point]) -> None:
        self._points = sorted(points, key=lambda point: point.lat7)
        self._lats = [point.lat7 for point in self._points]

    def box(self, box: Box) -> list[Point]:
        """The points in a box, edges included."""
        south, west, north, east = (round(edge * 1e7) for edge in box)
        rows = self._points[bisect_left(self._lats, south) : bisect_right(self._lats, north)]
        return [point for point in rows if west <= point.long7 <= east]

    def circle(self, circle: Circle) -> list[Point]:
        """The points within a distance."""
        lat, long, radius = circle
        south, west, north, east = box_around(lat, long, radius)
        return [
            point
            for point in self.box((south - 1e-6, west - 1e-6, north + 1e-6, east + 1e-6))
            if distance_m(lat, long, point.lat7 / 1e7, point.long7 / 1e7) <= radius
        ]
