#!/bin/sh
# azurite.sh DIRECTORY: Azurite, as a program in the npm packages of DIRECTORY. azurite/package-lock.json has each of them
# by its hash. Does nothing twice, and lets only one at a time do it.
set -eu

directory=$1
packages=$(dirname "$0")/azurite

if ! command -v npm >/dev/null; then
    echo "npm is missing: the store of the tests that speaks Azure's protocol is an npm package" >&2
    exit 1
fi
mkdir -p "$directory"
exec 9>"$directory/.lock"
if command -v flock >/dev/null; then flock 9; fi
stamp=$directory/.azurite-$(cksum <"$packages/package-lock.json" | cut -d ' ' -f 1)
[ -e "$stamp" ] && exit 0
cp "$packages/package.json" "$packages/package-lock.json" "$directory"
npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --loglevel=error
: >"$stamp"
