#!/bin/sh
# Builds every component as it ships into a directory:
#
#   omnistorage.wasm                  the library; its host, or a provider, gives it storage
#   omnistorage-codec.wasm            formats and codecs alone
#   omnistorage-provider-KIND.wasm    storage of a kind, over what WASI gives
#   omnistorage-vocabulary.wasm       the types that they share, for compositions
#   omnistorage-KIND.wasm             the library over that storage: it asks its host for WASI alone
#
#   guest/components.sh DIRECTORY
#
# Composing takes `wac`: the one that the variable WAC names, else the one on PATH.
set -eu

[ $# = 1 ] || { echo "usage: guest/components.sh DIRECTORY" >&2; exit 1; }
guest=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
directory=$1

"$guest/build.sh" "$directory/omnistorage.wasm"
"$guest/build.sh" omnistorage-codec "$directory/omnistorage-codec.wasm"
"$guest/build.sh" omnistorage-vocabulary "$directory/omnistorage-vocabulary.wasm"
# Each kind is a feature of the provider.
for kind in files memory s3; do
    "$guest/build.sh" omnistorage-provider "$directory/omnistorage-provider-$kind.wasm" "$kind"
    "${WAC:-wac}" compose "$guest/library.wac" \
        --dep "omnistorage:library=$directory/omnistorage.wasm" \
        --dep "omnistorage:provider=$directory/omnistorage-provider-$kind.wasm" \
        --dep "omnistorage:vocabulary=$directory/omnistorage-vocabulary.wasm" \
        --output "$directory/omnistorage-$kind.wasm"
done
