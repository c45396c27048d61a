"""Cold start: CPU and peak memory of ``import app`` in new interpreters, and of a boto3 client.

Both run from compiled bytecode, as the deployed package does, and then once more with a first
request: a new report against one read of an item. ``make package`` compares the package itself
(``infra.deploy.coldstart``), without the data of botocore that it leaves out.
"""

import json
import os
import sys
import tempfile
from itertools import count

from bench.failures import run
from infra.local.requests import Context, Event, event

RUNS = 7
_PROBE = """
import json, os, resource, time
start = time.process_time()
{code}
cpu = time.process_time() - start
print(json.dumps([cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
_APP = "import app"
_CLIENT = "import boto3; client = boto3.client('dynamodb')"
_REPORT = """
import app
class Context:
    function_name = aws_request_id = invoked_function_arn = "bench"
    memory_limit_in_mb = 1024
    get_remaining_time_in_millis = lambda self: 60_000
answer = app.app(json.loads(os.environ["BENCH_EVENT"]), Context())
assert answer["statusCode"] == 201, answer
"""
_READ = f"""
{_CLIENT}
client.get_item(TableName=os.environ["BENCH_TABLE"], Key={{"pk": {{"S": "none"}}}})
"""
_HERE = (-6.175, 106.827)


def measure() -> dict[str, float]:
    """The ratio of the least CPU of alternating runs, and the app's least peak memory."""
    from app import app
    from chalicelib.settings import settings

    def new_report() -> Event:
        lat, long = _HERE
        body = {"service": "banjir", "lat": lat, "long": long, "description": "Banjir"}
        device = json.loads(app(event("POST", "/v1/devices"), Context())["body"])["token"]
        return event("POST", "/v1/reports", body, f"Device {device}", f"cold-{next(numbers)}")

    numbers = count()
    os.environ["BENCH_TABLE"] = settings().table("reports")
    samples: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(RUNS + 1):
            for code in (_APP, _CLIENT, _REPORT, _READ):
                samples.setdefault(code, []).append(_run(code, compiled, new_report()))
    # The first runs compiled.
    least = {code: min(cpu for cpu, _ in runs[1:]) for code, runs in samples.items()}
    return {
        "cold_start / boto3 client": least[_APP] / least[_CLIENT],
        "cold start, ms of CPU": least[_APP] * 1000,
        "cold start and a new report / boto3 client and get_item": least[_REPORT] / least[_READ],
        "cold start and a new report, ms of CPU": least[_REPORT] * 1000,
        "peak memory after import, MB": min(mb for _, mb in samples[_APP]),
    }


def _run(code: str, compiled: str, posted: Event) -> tuple[float, float]:
    # As on Lambda, where ``app`` also makes the client of DynamoDB.
    environment = {
        **os.environ,
        "PYTHONPYCACHEPREFIX": compiled,
        "AWS_LAMBDA_FUNCTION_NAME": "api",
        "BENCH_EVENT": json.dumps(posted),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    printed = run([sys.executable, "-c", _PROBE.format(code=code)], env=environment)
    cpu, peak = json.loads(printed.splitlines()[-1])
    return cpu, peak
