"""chicagorequests 0.0.5: its command, a day at a time, fifteen at once."""

import json
import sys
from datetime import datetime, timedelta

import chicagorequests
from click.testing import CliRunner

base, _key, report = sys.argv[1:4]
chicagorequests.Downloader.BASE_URL = f"{base}/requests.json"
today = datetime.now()
days = [(today + timedelta(days=away)).strftime("%Y-%m-%d") for away in (-2, 0)]
for options in (["-s", days[0], "-e", days[1]],
                ["-s", days[0], "-e", days[1], "--updated-start-date", days[0]]):  # fmt: skip
    outcome = CliRunner().invoke(chicagorequests.main, options)
    assert outcome.exit_code == 0, (outcome.output, outcome.exception)
    rows = [json.loads(line) for line in outcome.stdout.splitlines() if line.startswith("{")]
    (one,) = [row for row in rows if row["service_request_id"] == report]
    assert one["extended_attributes"]["photos"], one
    print("read", json.dumps(one))
print("passed")
