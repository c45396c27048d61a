"""Pictures made of photos: upright, of the right size, without metadata."""

import io
import json
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from chalicelib.imaging import sandbox
from chalicelib.imaging.refusals import REASONS, PhotoRefused
from tests.support.photo_files import encoded, jpeg, scene

SHARED = Path(__file__).parents[3] / "shared" / "data"
PHOTOS = SHARED / "photos"
TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".heif": "image/heif", ".gif": "image/gif"}
# The test files that are refused; every other one must become pictures.
REFUSED = {
    "broken.png": "undecodable",
    "decompression_bomb.gif": "not_a_photo",
    "empty.derived.jpg": "empty",
}
HARMLESS = {"File", "ExifTool", "SourceFile", "Composite", "JFIF", "RIFF"}
TOLD = {"RIFF:ImageWidth", "RIFF:ImageHeight", "RIFF:VP8Version", "RIFF:HorizontalScale",
        "RIFF:VerticalScale"}  # fmt: skip
SECRET = "Jalan-Rahasia-7"
needs_photos = pytest.mark.skipif(not PHOTOS.is_dir(), reason="../shared/data/photos is not here")


@pytest.fixture
def exiftool() -> str:
    """exiftool, a reader of metadata that is independent of the product."""
    found = shutil.which("exiftool")
    if found is None:
        reason = "exiftool is not installed (Debian: libimage-exiftool-perl)"
        if PHOTOS.is_dir():
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def refusal(data: bytes, declared: str = "image/jpeg") -> str:
    """The reason with which the decoder refuses a photo."""
    with pytest.raises(PhotoRefused) as refused:
        sandbox.develop(data, declared)
    assert refused.value.reason in REASONS
    return refused.value.reason


def metadata(exiftool: str, folder: Path) -> list[str]:
    """Every tag that exiftool finds in the pictures of a folder, except what every file has."""
    command = [exiftool, "-json", "-G", "-a", "-u", "-U", "-ee", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pictures = json.loads(done.stdout)
    assert len(pictures) == 4
    return [
        tag
        for picture in pictures
        for tag in picture
        if tag.partition(":")[0] not in HARMLESS or (tag.startswith("RIFF:") and tag not in TOLD)
    ]


def written(made: sandbox.ProcessedPhoto, folder: Path) -> Path:
    """A folder with the pictures."""
    for name, data in made.files.items():
        (folder / name).write_bytes(data)
    return folder


def with_everything() -> dict[str, Any]:
    """What Pillow can write into a file besides the picture."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist] = SECRET, SECRET
    exif[ExifTags.Base.Orientation] = 6
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", (6.0, 12.0, 5.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (106.0, 50.0, 0.0)
    mine = exif.get_ifd(ExifTags.IFD.Exif)
    mine[ExifTags.Base.DateTimeOriginal] = "2026:11:02 08:09:10"
    mine[ExifTags.Base.OffsetTimeOriginal] = "+07:00"
    mine[ExifTags.Base.MakerNote] = SECRET.encode()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{SECRET}</x:xmpmeta>".encode()
    return {"exif": exif.tobytes(), "icc_profile": profile, "xmp": xmp}


def heic(image: Image.Image, **more: Any) -> bytes:
    """A picture as a HEIC file."""
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=80, **more)
    return out.getvalue()


def is_upright(picture: Image.Image) -> bool:
    """Whether red is at the top and blue at the bottom."""
    top = picture.convert("RGB").getpixel((picture.width // 2, 2))
    bottom = picture.convert("RGB").getpixel((picture.width // 2, picture.height - 3))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    return bool(top[0] > 150 > top[2] and bottom[2] > 150 > bottom[0])


def sizes(made: sandbox.ProcessedPhoto) -> list[tuple[int, int]]:
    """(width, height) of the master and the two pictures."""
    found = []
    for name in ("master.jpg", "1280.webp", "320.webp"):
        with Image.open(io.BytesIO(made.files[name])) as picture:
            assert is_upright(picture)
            found.append(picture.size)
    with Image.open(io.BytesIO(made.files["1280.jpg"])) as picture:
        assert is_upright(picture)
        assert (picture.format, picture.size) == ("JPEG", found[1])
    return found


@needs_photos
@pytest.mark.parametrize("name", sorted(one.name for one in PHOTOS.glob("*")))
def test_a_picture_of_a_real_photo_has_no_metadata(
    name: str, exiftool: str, tmp_path: Path
) -> None:
    data = (PHOTOS / name).read_bytes()
    declared = TYPES[Path(name).suffix]
    if name in REFUSED:
        assert refusal(data, declared) == REFUSED[name]
        return
    made = sandbox.develop(data, declared)
    assert metadata(exiftool, written(made, tmp_path)) == []
    assert max(made.width, made.height) <= 2048
    with Image.open(io.BytesIO(made.files["320.webp"])) as small:
        assert max(small.size) == 320
        assert small.width / small.height == pytest.approx(made.width / made.height, rel=0.02)


@needs_photos
@pytest.mark.parametrize("name", [f"portrait_{n}.jpg" for n in (3, 6, 8)])
def test_a_real_photo_that_was_held_askew_is_turned_upright(name: str) -> None:
    """All show the same as ``portrait_1.jpg``, whose pixels are upright."""
    upright, turned = (
        Image.open(io.BytesIO(sandbox.develop((PHOTOS / one).read_bytes(), "image/jpeg").files[
            "320.webp"
        ])).convert("L").resize((16, 16))
        for one in ("portrait_1.jpg", name)
    )  # fmt: skip
    apart = [abs(a - b) for a, b in zip(upright.tobytes(), turned.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 6


@needs_photos
def test_a_real_phone_tells_where_it_was_and_null_island_is_nowhere() -> None:
    told = {
        name: sandbox.develop((PHOTOS / name).read_bytes(), "image/jpeg").facts
        for name in ("gps_menteng_orient6.derived.jpg", "gps_null_island_orient6.derived.jpg",
                     "exif_gps_typeerror.jpg", "DSCN0010.jpg")
    }  # fmt: skip
    there = told["gps_menteng_orient6.derived.jpg"]
    assert (there["lat"], there["long"]) == pytest.approx((-6.2013, 106.8331), abs=1e-3)
    assert "lat" not in told["gps_null_island_orient6.derived.jpg"]
    assert told["exif_gps_typeerror.jpg"] == {}
    assert told["DSCN0010.jpg"]["taken"] == "2008-10-22T16:28:39"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIC"])
def test_all_metadata_is_removed_and_the_picture_is_upright(
    kind: str, exiftool: str, tmp_path: Path
) -> None:
    turned = scene(1600, 1200).rotate(90, expand=True)  # as a phone writes orientation 6
    more = with_everything()
    if kind == "HEIC":
        data = heic(turned, exif=more["exif"], xmp=more["xmp"])
    elif kind == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", SECRET, zip=True)
        notes.add_itxt("XML:com.adobe.xmp", SECRET)
        data = encoded(turned, "PNG", exif=more["exif"], icc_profile=more["icc_profile"],
                       pnginfo=notes)  # fmt: skip
    elif kind == "JPEG":
        data = encoded(turned, kind, **more, comment=SECRET.encode())
    else:
        data = encoded(turned, kind, **more)
    made = sandbox.develop(data, f"image/{kind.lower()}")
    assert sizes(made) == [(1600, 1200), (1280, 960), (320, 240)]
    assert metadata(exiftool, written(made, tmp_path)) == []
    assert all(SECRET.encode() not in file for file in made.files.values())
    assert (made.facts["lat"], made.facts["long"]) == pytest.approx((-6.201389, 106.833333))
    assert (made.facts["taken"], made.facts["offset"]) == ("2026-11-02T08:09:10", "+07:00")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied(orientation: int) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = scene(800, 600)
    if orientation in undo:
        stored = stored.transpose(undo[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    made = sandbox.develop(jpeg(stored, exif=exif.tobytes()), "image/jpeg")
    assert sizes(made) == [(800, 600), (800, 600), (320, 240)]


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((4032, 3024), [(2048, 1536), (1280, 960), (320, 240)]),
        ((3024, 4032), [(1536, 2048), (960, 1280), (240, 320)]),
        ((300, 200), [(300, 200), (300, 200), (300, 200)]),
        ((9000, 900), [(2048, 205), (1280, 128), (320, 32)]),
        ((8160, 6120), [(2048, 1536), (1280, 960), (320, 240)]),
    ],
    ids=str,
)
def test_pictures_fit_and_none_is_larger_than_it_was(
    size: tuple[int, int], wanted: list[tuple[int, int]]
) -> None:
    assert sizes(sandbox.develop(jpeg(scene(*size)), "image/jpeg")) == wanted


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("P", "PNG"), ("LA", "PNG"), ("1", "PNG"),
     ("I;16", "PNG"), ("RGBA", "WEBP"), ("RGBA", "AVIF")],
)  # fmt: skip
def test_pictures_of_every_kind_of_pixel_become_plain_ones(mode: str, kind: str) -> None:
    image = scene(700, 500)
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    else:
        image = image.convert(mode)
    made = sandbox.develop(encoded(image, kind), f"image/{kind.lower()}")
    with Image.open(io.BytesIO(made.files["master.jpg"])) as master:
        assert (master.mode, master.size) == ("RGB", (700, 500))
        grey = scene(700, 500).convert("L").resize((8, 8), Image.Resampling.BOX).tobytes()
        ours = master.convert("L").resize((8, 8), Image.Resampling.BOX).tobytes()
    apart = max(abs(a - b) for a, b in zip(grey, ours, strict=True))
    assert apart < 40


def test_transparent_pixels_become_white() -> None:
    clear = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    made = sandbox.develop(encoded(clear, "PNG"), "image/png")
    with Image.open(io.BytesIO(made.files["master.jpg"])) as master:
        assert master.getpixel((200, 150)) == (255, 255, 255)


def test_colours_of_another_profile_are_those_of_srgb() -> None:
    """A green of Display P3 or the like is another number in sRGB; here: swapped channels."""
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    image = Image.new("RGB", (64, 64), (100, 150, 200))
    data = encoded(image, "PNG", icc_profile=linear.tobytes())
    made = sandbox.develop(data, "image/png")
    with Image.open(io.BytesIO(made.files["master.jpg"])) as master:
        assert master.getpixel((32, 32)) != (100, 150, 200)
        assert "icc_profile" not in master.info


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it is enormous."""
    row = b"\x00" * (1 + width)
    out = io.BytesIO()
    packer = zlib.compressobj(9)
    lines = b"".join(packer.compress(row) for _ in range(min(height, 2000))) + packer.flush()
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    out.write(b"\x89PNG\r\n\x1a\n")
    for kind, body in ((b"IHDR", head), (b"IDAT", lines), (b"IEND", b"")):
        crc = zlib.crc32(kind + body).to_bytes(4, "big")
        out.write(len(body).to_bytes(4, "big") + kind + body + crc)
    return out.getvalue()


def text_bomb() -> bytes:
    """A PNG with 200 MB of text."""
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "x" * 200_000_000, zip=True)
    return encoded(scene(64, 64), "PNG", pnginfo=notes)


def moving(kind: str) -> bytes:
    """A picture of three frames."""
    frames = [scene(64, 48, seed=n) for n in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def sequence() -> bytes:
    """A HEIC file that is marked as an image sequence."""
    return b"\x00\x00\x00\x18ftypmsf1" + heic(scene(64, 64))[12:]


@pytest.mark.parametrize(
    ("data", "declared", "reason"),
    [
        (jpeg()[: len(jpeg()) // 2], "image/jpeg", "undecodable"),
        (jpeg()[:200], "image/jpeg", "undecodable"),
        (jpeg()[:30] + bytes(400) + jpeg()[430:], "image/jpeg", "undecodable"),
        (encoded(scene(), "PNG")[:-300], "image/png", "undecodable"),
        (encoded(scene(), "WEBP")[:-300], "image/webp", "undecodable"),
        (encoded(scene(), "AVIF")[:-300], "image/avif", "undecodable"),
        (heic(scene())[:-300], "image/heic", "undecodable"),
        (bomb(30_000, 30_016), "image/png", "too_many_pixels"),
        (bomb(12_000, 14_016), "image/png", "too_many_pixels"),
        (bomb(40_000, 20), "image/png", "too_many_pixels"),
        (text_bomb(), "image/png", "undecodable"),
        (encoded(scene(15, 400), "PNG"), "image/png", "too_small"),
        (encoded(Image.new("L", (1, 1)), "PNG"), "image/png", "too_small"),
        (encoded(Image.new("L", (10_000, 10_000)), "JPEG"), "image/jpeg", "too_many_pixels"),
        (moving("WEBP"), "image/webp", "animated"),
        (moving("PNG"), "image/png", "animated"),
        (moving("AVIF"), "image/avif", "animated"),
        (sequence(), "image/heic", "animated"),
        (encoded(scene(), "PNG"), "image/jpeg", "type_mismatch"),
        (jpeg() + b"<script>alert(1)</script>", "image/jpeg", "polyglot"),
        (b"<svg onload='alert(1)'/>", "image/png", "not_a_photo"),
        (b"", "image/jpeg", "empty"),
    ],
    ids=[
        "half a JPEG", "head of a JPEG", "holes in a JPEG", "short PNG", "short WebP", "short AVIF",
        "short HEIC", "PNG bomb", "another PNG bomb", "long PNG", "text bomb", "narrow", "1 by 1",
        "100 megapixels", "moving WebP", "moving PNG", "moving AVIF", "HEIC sequence",
        "wrong extension", "polyglot", "SVG", "empty",
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_a_stable_reason(
    data: bytes, declared: str, reason: str
) -> None:
    assert refusal(data, declared) == reason


def test_the_first_picture_of_a_jpeg_with_several_is_used() -> None:
    """MPO: what some cameras write for one photo."""
    data = encoded(scene(), "MPO", save_all=True, append_images=[scene(seed=9)])
    assert sizes(sandbox.develop(data, "image/jpeg"))[0] == (640, 480)


def test_broken_photos_break_nothing() -> None:
    """Changed bits give pictures or a reason, and never another error in this process."""
    data, outcomes = jpeg(scene(200, 150)), set()
    for at in range(2, len(data), 61):
        mutant = bytearray(data)
        mutant[at] ^= 1 << (at % 8)
        try:
            sandbox.develop(bytes(mutant), "image/jpeg")
            outcomes.add("pictures")
        except PhotoRefused as refused:
            outcomes.add(refused.reason)
    assert outcomes <= {"pictures", *REASONS}
    assert "pictures" in outcomes


# Each in its own process; the peak memory of its children is the decoder's.
_PEAK = """
import resource, sys
from pathlib import Path
from chalicelib.imaging import sandbox
from chalicelib.imaging.refusals import PhotoRefused
try:
    made = sandbox.develop(Path(sys.argv[1]).read_bytes(), sys.argv[2])
    print(made.width, end=" ")
except PhotoRefused as refused:
    print(refused.reason, end=" ")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


@pytest.mark.parametrize(
    ("image", "kind", "outcome"),
    [
        (lambda: scene(8160, 6120), "JPEG", "2048"),
        (lambda: scene(7000, 7000).convert("RGBA"), "PNG", "2048"),
        (lambda: scene(7000, 7000).convert("LA"), "PNG", "2048"),
        (lambda: scene(8160, 6120), "WEBP", "too_heavy"),
    ],
    ids=["50 Mpx JPEG", "50 Mpx PNG with alpha", "50 Mpx grey PNG", "50 Mpx WebP"],
)
def test_no_photo_takes_more_than_512_mebibytes(
    image: Any, kind: str, outcome: str, tmp_path: Path
) -> None:
    more = {"compress_level": 1} if kind == "PNG" else {"quality": 40}
    (tmp_path / "photo").write_bytes(encoded(image(), kind, **more))
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "photo"), f"image/{kind.lower()}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    found, peak = done.stdout.split()
    assert found == outcome
    assert 0 < int(peak) <= 512


def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.01)
    assert refusal(jpeg()) == "too_heavy"


def test_the_process_that_decodes_has_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []
    real = subprocess.run

    def run(command: list[str], **more: Any) -> Any:
        seen.append(more["env"])
        return real(command, **more)

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr(sandbox.subprocess, "run", run)
    sandbox.develop(jpeg(), "image/jpeg")
    (environment,) = seen
    assert set(environment) <= {"PATH", "LD_LIBRARY_PATH", "LANG", "PYTHONPATH"}


def test_a_rectangle_is_blurred_beyond_recognition_and_the_rest_is_not() -> None:
    image = scene(1000, 800)
    plate = Image.effect_noise((200, 100), 200).convert("RGB")
    image.paste(plate, (400, 300))
    master = sandbox.develop(jpeg(image, quality=95), "image/jpeg").files["master.jpg"]
    drawn = sandbox.redraw(master, [[400, 375, 200, 125]])
    with Image.open(io.BytesIO(drawn.files["master.jpg"])) as after:
        inside = after.convert("L").crop((410, 310, 590, 390))
        lowest, highest = inside.getextrema()
        assert isinstance(lowest, int | float)
        assert highest - lowest < 60
        assert is_upright(after)
        assert after.size == (1000, 800)
    again = sandbox.redraw(master, [])
    with Image.open(io.BytesIO(again.files["master.jpg"])) as after:
        lowest, highest = after.convert("L").crop((410, 310, 590, 390)).getextrema()
        assert isinstance(lowest, int | float)
        assert highest - lowest > 150


def test_the_hash_of_a_picture_survives_what_messengers_do_to_it() -> None:
    from chalicelib.domain.photos import hash_distance

    def likeness(data: bytes) -> str:
        found = sandbox.develop(data, "image/jpeg").likeness
        assert found is not None
        return found

    whole = scene(2000, 1500, seed=3)
    first = likeness(jpeg(whole, quality=92))
    assert hash_distance(first, likeness(jpeg(whole.resize((800, 600)), quality=40))) <= 7
    assert hash_distance(first, likeness(jpeg(whole.point(lambda v: min(255, v + 20))))) <= 7
    others = [likeness(jpeg(scene(800, 600, seed=n))) for n in (4, 5, 6, 7)]
    assert all(hash_distance(first, other) > 20 for other in others)
    dark = jpeg(Image.new("RGB", (640, 480), (4, 4, 4)))
    assert sandbox.develop(dark, "image/jpeg").likeness is None
