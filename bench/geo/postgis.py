"""The peer in SQL: PostGIS on the same points, in a temporary cluster of its own.

Needs Debian's ``postgresql`` and ``postgresql-15-postgis-3`` (or another version's), and psycopg.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.geo.points import Box, Circle, Point

_SOMEBODY = "nobody"
# The operator && alone compares boxes of 32-bit floats.
_IN_BOX = """SELECT number FROM report WHERE closed IS NULL
    AND ST_Intersects(place, ST_MakeEnvelope(%s, %s, %s, %s, 4326))"""
_IN_CIRCLE = """SELECT number FROM report WHERE closed IS NULL
    AND place && ST_Expand(ST_SetSRID(ST_MakePoint(%(long)s, %(lat)s), 4326), %(wide)s, %(tall)s)
    AND ST_DistanceSphere(place, ST_SetSRID(ST_MakePoint(%(long)s, %(lat)s), 4326)) <= %(radius)s"""
_HEAT = "SELECT ST_GeoHash(place, 6) AS cell, count(*) FROM report GROUP BY cell"
_TABLE = """CREATE EXTENSION postgis;
    CREATE TABLE report (number int, place geometry(Point, 4326), closed timestamptz);"""
_INDEXES = """CREATE INDEX ON report USING gist (place) WHERE closed IS NULL;
    CREATE INDEX ON report USING gist (place); ANALYZE report;"""


def missing() -> str | None:
    """The reason why it cannot be measured here, or ``None``."""
    if _binaries() is None:
        return "PostgreSQL's server is not installed"
    if not list(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
        return "PostGIS is not installed"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed"
    return None


class Peer:
    """The filled table."""

    def __init__(self, connection: Any, points: list[Point]) -> None:
        self._connection = connection
        connection.execute(_TABLE)
        with connection.cursor().copy("COPY report FROM STDIN") as copy:
            for point in points:
                position = f"SRID=4326;POINT({point.long7 / 1e7} {point.lat7 / 1e7})"
                copy.write_row((point.number, position, point.closed))
        connection.execute(_INDEXES)

    def box(self, box: Box) -> list[int]:
        """The numbers of the open points in a box."""
        south, west, north, east = box
        return self._numbers(_IN_BOX, (west, south, east, north))

    def circle(self, circle: Circle) -> list[int]:
        """The numbers of the open points in a circle."""
        from chalicelib.domain.map.geohash import box_around

        lat, long, radius = circle
        south, west, _, _ = box_around(lat, long, radius)
        spread = {"wide": long - west, "tall": lat - south}
        return self._numbers(_IN_CIRCLE, {"lat": lat, "long": long, "radius": radius, **spread})

    def heat(self) -> int:
        """How many cells the city has, counted from all points."""
        return len(self._connection.execute(_HEAT).fetchall())

    def _numbers(self, query: str, values: Any) -> list[int]:
        return [row[0] for row in self._connection.execute(query, values)]


@contextmanager
def running(points: list[Point]) -> Iterator[Peer]:
    """A server with the points, deleted at the end."""
    import psycopg

    binaries = _binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="postgis-"))
    # PostgreSQL refuses to run as root.
    user = _SOMEBODY if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, sockets = folder / "data", f"-k {folder} -h ''"

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / name, *arguments], check=True, user=user, cwd=folder,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    try:
        run("initdb", "-D", str(data), "-U", "bench", "--auth=trust", "--no-sync")
        run("pg_ctl", "-D", str(data), "-w", "-o", sockets, "-l", str(folder / "log"), "start")
        try:
            connection_string = f"host={folder} user=bench dbname=postgres"
            with psycopg.connect(connection_string, autocommit=True) as connection:
                yield Peer(connection, points)
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None
