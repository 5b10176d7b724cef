#!/bin/sh
# Makes what is published of the components in a directory, as `guest/components.sh` wrote them, in another one:
#
#   storage-VERSION.wasm, codec-VERSION.wasm   the WIT packages, with what `wkg.toml` says of them
#   oci/NAME                                   each component and each WIT package as an OCI image layout
#
#   guest/packages.sh COMPONENTS DIRECTORY
#
# WIT packages are built by `wash`: the one that the variable WASH names, else the one on PATH. Nothing is fetched.
set -eu

[ $# = 2 ] || { echo "usage: guest/packages.sh COMPONENTS DIRECTORY" >&2; exit 1; }
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p "$2"
components=$(CDPATH='' cd -- "$1" && pwd)
directory=$(CDPATH='' cd -- "$2" && pwd)

# A package is the files of one directory; the tool leaves a lock file where it runs.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for package in wit wit/codec; do
    mkdir -p "$scratch/$package/wit"
    cp "$root/$package"/*.wit "$scratch/$package/wit"
    cp "$root/wkg.toml" "$scratch/$package"
    (cd "$scratch/$package" && "${WASH:-wash}" --non-interactive --log-level ERROR wit build > build.log) || {
        cat "$scratch/$package/build.log" >&2
        exit 1
    }
    mv "$scratch/$package"/*.wasm "$directory"
done
"$root/guest/oci.py" "$directory/oci" "$components"/*.wasm "$directory"/*.wasm
