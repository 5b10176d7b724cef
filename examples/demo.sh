#!/bin/sh
# The main jobs of omnistorage on a small real tree, with every result checked by tools that know nothing of it.
#
#   examples/demo.sh [BINARY]     BINARY: default target/release/omnistorage
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
binary=${1:-$here/target/release/omnistorage}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() { printf '\n== %s\n' "$*"; }
# The command is shown on what was standard output at the start, so that its own output can be redirected.
exec 3>&1
run() {
    {
        printf '$ omnistorage'
        for argument in "$@"; do printf ' %s' "$argument"; done
        printf '\n'
    } >&3
    "$binary" "$@"
}
die() {
    printf 'the demo failed: %s\n' "$*" >&2
    exit 1
}

case $binary in /*) ;; *) binary=$PWD/$binary ;; esac
[ -x "$binary" ] || die "there is no binary $binary; build it with \`cargo build --release\`"
cd "$work"
mkdir photos
cp -R "$here/wit" "$here/guest/types/src" photos/
printf 'an odd name' > 'photos/  %2F ..and so on 😀'
: > photos/empty

say 'A tree is mirrored: every file whole or not at all, times kept'
run sync photos backup
(cd photos && find . -type f -exec sha256sum {} +) > before.sha256
(cd backup && sha256sum --quiet --check ../before.sha256) || die 'a file of the copy differs'

say 'The same again costs one look'
run sync photos backup

say 'A change, a deletion, and first a look at what would be done'
printf 'changed' > photos/empty
rm 'photos/  %2F ..and so on 😀'
run sync --dry-run -v photos backup
[ ! -s backup/empty ] || die 'the dry run changed something'
run check photos backup && die 'check did not see the differences'
run sync photos backup
run check photos backup
diff -r photos backup || die 'diff sees a difference'

say 'What would lose data is refused'
mkdir nothing
run sync nothing backup && die 'an empty source emptied the copy'
run sync photos photos/inside && die 'an overlap was not seen'
diff -r photos backup || die 'a refused run changed something'

say 'Checksums as sha256sum prints them'
run hash sha256 backup > after.sha256
(cd photos && sha256sum --quiet --check ../after.sha256) || die 'a checksum is wrong'
printf '%s files, all as they should be\n' "$(wc -l < after.sha256)"

say 'A stream becomes one object, compressed on the way in'
awk 'BEGIN { for (n = 1; n <= 100000; n++) printf "{\"n\":%d,\"square\":%d}\n", n, n * n }' > squares.ndjson
printf '$ omnistorage put --compress gzip log.ndjson.gz < squares.ndjson\n'
"$binary" put --compress gzip log.ndjson.gz < squares.ndjson
gzip -dc log.ndjson.gz | cmp - squares.ndjson || die 'gzip reads something else'
printf '%s bytes became %s, and gzip reads them\n' "$(wc -c < squares.ndjson)" "$(wc -c < log.ndjson.gz)"

say 'Records are counted, looked at and converted'
run records head -n 2 log.ndjson.gz
count=$(run records count log.ndjson.gz)
[ "$count" = 100000 ] || die "counted $count records of 100000"
printf '%s\n' "$count"
run records convert log.ndjson.gz back.ndjson
cmp back.ndjson squares.ndjson || die 'the records changed on the way'

say 'What a backend can do'
run features backup

say 'Nothing was lost, and nothing was left behind'
[ -z "$(find . -name '.omnistorage-*')" ] || die 'there are temporary files'
