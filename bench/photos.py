"""``python -m bench.photos``: the cost of the photo function; also build/bench/photos.json.

Times are CPU of the decoding process, or a ratio to plain Pillow (decode, encode at full size) in
alternating runs. Memory is the peak of any such process.

A process that fails ends the bench with its last lines (``bench.failures``).
"""

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.failures import reported, run

OUT = Path("build") / "bench" / "photos.json"
ROUNDS = 9
TOGETHER = 24
CORES = 2
BOUNDS = {
    "12-megapixel JPEG, s of CPU": 3.0,
    "peak memory of one photo, MiB": 512.0,
}
# name: (width, height, mode, format); the last ones have the largest accepted size.
CASES = {
    "12 Mpx JPEG": (4000, 3000, "RGB", "JPEG"),
    "2 Mpx JPEG": (1600, 1200, "RGB", "JPEG"),
    "12 Mpx PNG": (4000, 3000, "RGB", "PNG"),
    "12 Mpx WebP": (4000, 3000, "RGB", "WEBP"),
    "12 Mpx AVIF": (4000, 3000, "RGB", "AVIF"),
    "50 Mpx JPEG": (8160, 6120, "RGB", "JPEG"),
    "50 Mpx JPEG, CMYK": (8160, 6120, "CMYK", "JPEG"),
    "50 Mpx PNG with alpha": (7000, 7000, "RGBA", "PNG"),
    "50 Mpx PNG of 16 bits": (7000, 7000, "I;16", "PNG"),
    "24 Mpx WebP": (5656, 4242, "RGB", "WEBP"),
    "24 Mpx AVIF": (5656, 4242, "RGB", "AVIF"),
}
SAVED: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 1},
    "WEBP": {"quality": 50, "method": 0},
    "AVIF": {"quality": 60, "speed": 10},
}
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def main(words: list[str]) -> int:
    """Print the table and write it, also figures beyond their bounds."""
    if words[:1] == ["make"]:
        _make(Path(words[1]))
        return 0
    with tempfile.TemporaryDirectory() as name:
        # Made in another process: the memory of this one would count for its children.
        run([sys.executable, "-m", "bench.photos", "make", name])
        rows = _measure(Path(name))
    rows |= _weights() | _cold_starts()
    figures = {name: {"value": value, **_bound(name, value)} for name, value in rows.items()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, row in figures.items():
        bound = f"  (bound {row['bound']:g}, holds: {row['holds']})" if "bound" in row else ""
        print(f"{name:52} {row['value']:>9.2f}{bound}")
    return 0


def _bound(name: str, value: float) -> dict[str, float | bool]:
    return {"bound": BOUNDS[name], "holds": value <= BOUNDS[name]} if name in BOUNDS else {}


def _make(folder: Path) -> None:
    from PIL import Image

    for name, (width, height, mode, kind) in CASES.items():
        # With the detail of a photo, so that the file is about as large as a phone's.
        noise = Image.effect_noise((width // 4, height // 4), 70).resize((width, height))
        image = (
            noise.convert("I").point(lambda v: v * 257).convert("I;16")
            if "16" in mode
            else (noise.convert("RGB").convert(mode))
        )
        image.save(folder / name, kind, **SAVED[kind])


def _measure(folder: Path) -> dict[str, float]:
    from chalicelib.imaging import sandbox

    def develop(name: str) -> None:
        sandbox.develop((folder / name).read_bytes(), TYPES[CASES[name][3]])

    rows: dict[str, float] = {}
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        ours.append(_cpu(lambda: develop("12 Mpx JPEG")))
        bare.append(_cpu(lambda: _bare(folder / "12 Mpx JPEG")))
    rows["12-megapixel JPEG, s of CPU"] = statistics.median(ours)
    ratio = statistics.median(ours) / statistics.median(bare)
    rows["12-megapixel JPEG / bare decode and encode"] = ratio
    for name in ("12 Mpx JPEG", "2 Mpx JPEG"):
        began = time.perf_counter()
        with ThreadPoolExecutor(CORES) as pool:
            list(pool.map(develop, [name] * TOGETHER))
        minutes = (time.perf_counter() - began) / 60
        rows[f"{name}: images a minute on {CORES} cores"] = TOGETHER / minutes
    peaks = []
    for name in CASES:
        cpu, peak = _alone(folder / name, TYPES[CASES[name][3]])
        rows[f"{name}, s of CPU"] = cpu
        peaks.append(peak)
    rows["peak memory of one photo, MiB"] = max(peaks)
    return rows


def _alone(path: Path, declared: str) -> tuple[float, float]:
    """CPU and peak memory of one photo, in a small process of its own."""
    command = (
        "import pathlib, resource\n"
        "from chalicelib.imaging import sandbox\n"
        f"sandbox.develop(pathlib.Path({str(path)!r}).read_bytes(), {declared!r})\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)\n"
    )
    cpu, peak = map(float, run([sys.executable, "-c", command]).split())
    return cpu, peak


def _bare(path: Path) -> None:
    command = (
        "import io, sys\n"
        "from PIL import Image\n"
        f"image = Image.open({str(path)!r})\n"
        "image.load()\n"
        "image.save(io.BytesIO(), 'JPEG', quality=85)\n"
    )
    run([sys.executable, "-c", command])


def _cpu(work: Any) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _weights() -> dict[str, float]:
    import pi_heif
    import PIL

    folders = [Path(str(module.__file__)).parent for module in (PIL, pi_heif)]
    folders += [
        folder.with_name(f"{name}.libs")
        for folder, name in zip(folders, ("pillow", "pi_heif"), strict=True)
    ]
    size = sum(
        path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file()
    )
    return {"layer of the photo function, MiB unpacked": size / 1024 / 1024}


def _cold_starts() -> dict[str, float]:
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none",
                   "AWS_SECRET_ACCESS_KEY": "none",
                   "AWS_LAMBDA_FUNCTION_NAME": "api"}  # fmt: skip
    starts = {
        "cold start of the API, s of CPU": "import app",
        "cold start of the photo function, s of CPU": (
            "import app\n"
            "import aws_lambda_powertools.utilities.batch\n"
            "from chalicelib.services.photos import jobs\n"
            "from chalicelib.imaging import sandbox\n"
            "try: sandbox.develop(b'x', 'image/jpeg')\n"
            "except ValueError: pass"
        ),
    }
    samples: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(5):
        for name, command in starts.items():
            words = [sys.executable, "-c", command]
            variables = {**os.environ, **environment, "PYTHONPATH": "."}
            samples[name].append(
                _cpu(lambda words=words, variables=variables: run(words, env=variables))
            )
    return {name: statistics.median(times) for name, times in samples.items()}


if __name__ == "__main__":
    sys.exit(reported(lambda: main(sys.argv[1:])))
