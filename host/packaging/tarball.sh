#!/bin/sh
# Makes the tarball of a binary that is built already, and prints its path. The same parts give the same bytes.
#
#   host/packaging/tarball.sh BINARY THIRD-PARTY VERSION TARGET DIRECTORY
set -eu

[ $# = 5 ] || { echo "usage: host/packaging/tarball.sh BINARY THIRD-PARTY VERSION TARGET DIRECTORY" >&2; exit 2; }
name=omnistorage-$3-$4 directory=$5
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$(dirname -- "$0")/stage.sh" "$1" "$2" "$scratch/$name"
(cd "$scratch/$name" && find . -type f | LC_ALL=C sort | xargs sha256sum > "$scratch/SHA256SUMS")
mv "$scratch/SHA256SUMS" "$scratch/$name/SHA256SUMS"
mkdir -p "$directory"
tar --create --directory "$scratch" --sort=name --mtime="@${SOURCE_DATE_EPOCH:-0}" --owner=0 --group=0 --numeric-owner \
    "$name" | gzip -n > "$directory/$name.tar.gz"
echo "$directory/$name.tar.gz"
