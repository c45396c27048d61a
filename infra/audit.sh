#!/usr/bin/env bash
# Checks of what is deployed and of what it is made of, by tools that others keep; 0 findings or failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=.venv-audit/bin
templates=${TEMPLATES:-build/prod}

say() { printf '%-16s %s\n' "$1" "$2"; }

"$tools/cfn-lint" -r us-east-1 ap-southeast-3 eu-central-1 -t "$templates/app.json" "$templates/data.json"
"$tools/cfn-lint" -r us-east-1 -t "$templates/budget.json"
say cfn-lint '0 findings'

"$tools/checkov" --config-file .checkov.yaml -f "$templates/app.json" "$templates/data.json" \
  "$templates/budget.json" >build/checkov.txt 2>&1 || { cat build/checkov.txt; exit 1; }
say checkov "0 failures beyond $(grep -c '^  - CKV' .checkov.yaml) that are left out with a reason"

"$tools/bandit" -q -c .bandit.yaml -r app.py chalicelib infra
say bandit '0 findings'

git ls-files -z | grep -zvE '^(docs/openapi\.json|tests/.*)$' |
  xargs -0 "$tools/detect-secrets-hook" --baseline .secrets.baseline
say detect-secrets '0 findings'

# Where no database of vulnerabilities can be reached, the tool skips every package and says so.
"$tools/pip-audit" --progress-spinner off -f json -r requirements.txt -r requirements-photos.txt \
  >build/pip-audit.json 2>build/pip-audit.txt || true
"$tools/python" - <<'PY'
import json
import sys

try:
    rows = json.load(open("build/pip-audit.json"))["dependencies"]
except (OSError, ValueError, KeyError):
    sys.exit(open("build/pip-audit.txt").read()[-2000:])
bad = [(row["name"], one["id"]) for row in rows for one in row.get("vulns", ())]
skipped = sum("skip_reason" in row for row in rows)
print(f"{'pip-audit':16} {len(bad)} findings in {len(rows) - skipped} packages; "
      f"{skipped} could not be looked up")
sys.exit(f"vulnerable: {bad}" if bad else 0)
PY
.venv/bin/python -m pip check >/dev/null
say 'pip check' 'requirements fit each other'
