"""Cold start: CPU and peak memory of ``import app`` in new interpreters, and of a boto3 client.

Both run from compiled bytecode, as the deployed package does.
"""

import json
import os
import statistics
import sys
import tempfile

from bench.failures import run

RUNS = 7
_PROBE = """
import json, resource, time
start = time.process_time()
{code}
cpu = time.process_time() - start
print(json.dumps([cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
_APP = "import app"
_CLIENT = "import boto3; boto3.client('dynamodb')"


def measure() -> dict[str, float]:
    """The ratio of the medians of alternating runs, and the app's peak memory after import."""
    samples: dict[str, list[tuple[float, float]]] = {_APP: [], _CLIENT: []}
    with tempfile.TemporaryDirectory() as compiled:
        for code in samples:
            _run(code, compiled)
        for _ in range(RUNS):
            for code, times in samples.items():
                times.append(_run(code, compiled))
    app, client = (statistics.median(cpu for cpu, _ in samples[code]) for code in (_APP, _CLIENT))
    return {
        "cold_start / boto3 client": app / client,
        "cold start, ms of CPU": app * 1000,
        "peak memory after import, MB": statistics.median(mb for _, mb in samples[_APP]),
    }


def _run(code: str, compiled: str) -> tuple[float, float]:
    # As on Lambda, where ``app`` also makes the client of DynamoDB.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled, "AWS_LAMBDA_FUNCTION_NAME": "api"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    printed = run([sys.executable, "-c", _PROBE.format(code=code)], env=environment)
    cpu, peak = json.loads(printed.splitlines()[-1])
    return cpu, peak
