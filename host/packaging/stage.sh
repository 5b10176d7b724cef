#!/bin/sh
# Puts together what is installed below a prefix: the command, its component compiled, its manual pages and completions,
# licences and changes.
#
#   host/packaging/stage.sh BINARY THIRD-PARTY PREFIX
set -eu

[ $# = 3 ] || { echo "usage: host/packaging/stage.sh BINARY THIRD-PARTY PREFIX" >&2; exit 2; }
binary=$1 third_party=$2 prefix=$3
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
# What it prints is that of the binary alone, not of whoever builds.
omnistorage() { env -i PATH="$PATH" HOME=/nonexistent "$prefix/bin/omnistorage" "$@"; }

install -D -m 755 "$binary" "$prefix/bin/omnistorage"
omnistorage precompile "$prefix/lib/omnistorage"
mkdir -p "$prefix/share/man/man1"
omnistorage reference --man "$prefix/share/man/man1"
completions() {
    mkdir -p "$prefix/share/$(dirname -- "$2")"
    omnistorage completions "$1" > "$prefix/share/$2"
}
completions bash bash-completion/completions/omnistorage
completions zsh zsh/vendor-completions/_omnistorage
completions fish fish/vendor_completions.d/omnistorage.fish
for file in LICENSE-MIT LICENSE-APACHE README.md CHANGELOG.md; do
    install -D -m 644 "$root/$file" "$prefix/share/doc/omnistorage/$file"
done
install -m 644 "$third_party" "$prefix/share/doc/omnistorage/THIRD-PARTY.txt"
