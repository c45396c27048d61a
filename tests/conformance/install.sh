#!/usr/bin/env bash
# Clients and generators, as their registries have them: into .venv-conformance and .conformance.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
wanted=tests/conformance/requirements.txt
if ! cmp -s "$wanted" .venv-conformance/installed; then
  "${PYTHON:-python3}" -m venv .venv-conformance
  .venv-conformance/bin/python -m pip --quiet --quiet --disable-pip-version-check install -r "$wanted"
  cp "$wanted" .venv-conformance/installed
fi
if [ ! -e .conformance/installed ]; then
  command -v npm >/dev/null || { echo 'the client of npm needs Node.js with npm'; exit 1; }
  rm -rf .conformance
  mkdir -p .conformance/node_modules/{open311,sparkxml,xml2json}
  cd .conformance
  # Its own dependency sparkxml is a git address that is dead: an empty module stands for it.
  npm pack --silent open311@0.0.12 >/dev/null
  tar xzf open311-0.0.12.tgz -C node_modules/open311 --strip-components 1
  echo 'module.exports = function () {};' | tee node_modules/sparkxml/index.js >node_modules/xml2json/index.js
  for name in request@2.11.4 lodash@0.6.1; do
    npm pack --silent "$name" >/dev/null
    mkdir -p "node_modules/${name%@*}"
    tar xzf "${name/@/-}.tgz" -C "node_modules/${name%@*}" --strip-components 1
  done
  touch installed
  cd ..
fi
generators=.conformance/generators lock=tests/conformance/generated/package-lock.json
if ! cmp -s "$lock" "$generators/installed"; then
  rm -rf "$generators"
  mkdir -p "$generators"
  cp tests/conformance/generated/package{,-lock}.json "$generators"
  # With the Node.js of .venv-conformance, whatever the machine has.
  PATH="$PWD/.venv-conformance/bin:$PATH" npm --prefix "$generators" ci --silent --no-audit --no-fund --ignore-scripts
  cp "$lock" "$generators/installed"
fi
