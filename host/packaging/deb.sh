#!/bin/sh
# Makes the Debian package of a binary that is built already, and prints its path. It depends on the glibc that the binary
# was linked against: build where the oldest release is that it is for.
#
#   host/packaging/deb.sh BINARY THIRD-PARTY VERSION DIRECTORY
#
# DPKG_DEB_OPTIONS is for dpkg-deb: how it compresses, -Zxz if not set.
set -eu

[ $# = 4 ] || { echo "usage: host/packaging/deb.sh BINARY THIRD-PARTY VERSION DIRECTORY" >&2; exit 2; }
# A version before a release sorts before it.
version=$(echo "$3" | sed 's/-/~/') directory=$4
architecture=$(dpkg --print-architecture)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
package=$scratch/package
documents=$package/usr/share/doc/omnistorage

"$(dirname -- "$0")/stage.sh" "$1" "$2" "$package/usr"
find "$package/usr/share/man" -type f -exec gzip -9n {} +
gzip -9n < "$documents/CHANGELOG.md" > "$documents/changelog.gz"
gzip -9n "$documents/THIRD-PARTY.txt"
{
    echo "omnistorage is under either of two licences, as you prefer; THIRD-PARTY.txt.gz has those of what is in it."
    for licence in MIT APACHE; do echo; cat "$documents/LICENSE-$licence"; done
} > "$documents/copyright"
rm "$documents/CHANGELOG.md" "$documents/LICENSE-MIT" "$documents/LICENSE-APACHE"

mkdir "$scratch/debian" "$package/DEBIAN"
printf 'Source: omnistorage\n\nPackage: omnistorage\nArchitecture: any\n' > "$scratch/debian/control"
depends=$(cd "$scratch" && dpkg-shlibdeps -O "$package/usr/bin/omnistorage" | sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "host/packaging/deb.sh: dpkg-shlibdeps (of dpkg-dev) does not tell what the binary needs" >&2; exit 1; }
cat > "$package/DEBIAN/control" <<END
Package: omnistorage
Version: $version
Architecture: $architecture
Maintainer: The omnistorage authors <omnistorage@users.noreply.github.com>
Installed-Size: $(du -sk "$package/usr" | cut -f1)
Depends: $depends
Suggests: openssh-client
Section: utils
Priority: optional
Homepage: https://github.com/omnistorage/omnistorage
Description: store and move data: sync, records and compression
 Syncs, copies and checks between disks and buckets (S3, Google Cloud Storage,
 WebDAV and others), converts records of NDJSON, JSON and CSV, and compresses.
 A sandboxed WebAssembly component decides, and touches only what it is given.
END
mkdir -p "$directory"
# shellcheck disable=SC2086 # several options
dpkg-deb --root-owner-group ${DPKG_DEB_OPTIONS:--Zxz} --build "$package" "$directory/omnistorage_${version}_$architecture.deb" > /dev/null
echo "$directory/omnistorage_${version}_$architecture.deb"
