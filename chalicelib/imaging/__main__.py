"""The process that decodes one photo: ``python -m chalicelib.imaging <folder>``.

The folder holds ``job.json`` and ``input``. The renditions are written beside them, and
``result.json`` last. The process has no credentials, and the system limits its memory and CPU.
"""

import json
import resource
import sys
from pathlib import Path

MEMORY = 448 * 1024 * 1024
CPU_SECONDS = 20


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(folder: Path) -> None:
    """Do the folder's job. A bad photo gives a result; a fault of this installation raises."""
    from chalicelib.imaging import renditions
    from chalicelib.imaging.refusals import TOO_HEAVY, UNDECODABLE, PhotoRefused

    job = json.loads((folder / "job.json").read_text())
    data = (folder / "input").read_bytes()
    try:
        if job["task"] == "develop":
            result = renditions.make(data, job["type"], folder)
        else:
            result = renditions.remake(data, job["rectangles"], folder)
    except PhotoRefused as refusal:
        result = {"refused": refusal.reason}
    except ImportError:
        raise  # A missing codec is not the photo's fault.
    except MemoryError:
        result = {"refused": TOO_HEAVY}
    except Exception:  # noqa: BLE001  (a decoder may raise anything for a broken file)
        result = {"refused": UNDECODABLE}
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    _limit()
    main(Path(sys.argv[1]))
