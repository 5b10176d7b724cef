#!/bin/sh
# setup.sh DIRECTORY: the object stores that the tests start, as programs in the Python environment DIRECTORY.
# Does nothing twice, and lets only one at a time do it.
#
# servers.in names them. servers.txt has each file of them and of all that they need by its hash:
#   uv pip compile --universal --python-version 3.10 --generate-hashes --no-header --no-annotate servers.in -o servers.txt
set -eu

directory=$1
packages=$(dirname "$0")/servers.txt

if ! python3 -c 'import venv' 2>/dev/null; then
    echo "python3 with its venv module is missing: the object stores of the tests are Python packages" >&2
    exit 1
fi
mkdir -p "$directory"
exec 9>"$directory/.lock"
if command -v flock >/dev/null; then flock 9; fi
stamp=$directory/.servers-$(cksum <"$packages" | cut -d ' ' -f 1)
[ -e "$stamp" ] && exit 0
[ -x "$directory/bin/python" ] || python3 -m venv "$directory"
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    --requirement "$packages"
: >"$stamp"
