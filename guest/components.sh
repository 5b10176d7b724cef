#!/bin/sh
# Builds every component as it ships into a directory:
#
#   omnistorage.wasm                  the library; its host, or a provider, gives it storage
#   omnistorage-codec.wasm            formats and codecs alone
#   omnistorage-provider-KIND.wasm    storage of a kind, over what WASI gives
#   omnistorage-vocabulary.wasm       the types that they share, for compositions
#   omnistorage-KIND.wasm             the library over that storage: it asks its host for WASI alone
#   omnistorage-cli.wasm              the command line over the library and files, as a program for any host of WASI 0.3
#
#   guest/components.sh DIRECTORY
#
# Composing takes `wac`: the one that the variable WAC names, else the one on PATH.
set -eu

[ $# = 1 ] || { echo "usage: guest/components.sh DIRECTORY" >&2; exit 1; }
guest=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
directory=$1

# Whatever profile the others are built with: these are measured.
COMPONENT_PROFILE=component "$guest/build.sh" "$directory/omnistorage.wasm"
COMPONENT_PROFILE=component "$guest/build.sh" omnistorage-codec "$directory/omnistorage-codec.wasm"
"$guest/build.sh" omnistorage-vocabulary "$directory/omnistorage-vocabulary.wasm"
command_line=$directory/parts/command-line.wasm
"$guest/build.sh" omnistorage-command-line "$command_line"
# Each kind is a feature of the provider.
for kind in blobstore files memory s3; do
    "$guest/build.sh" omnistorage-provider "$directory/omnistorage-provider-$kind.wasm" "$kind"
    "${WAC:-wac}" compose "$guest/library.wac" \
        --dep "omnistorage:library=$directory/omnistorage.wasm" \
        --dep "omnistorage:provider=$directory/omnistorage-provider-$kind.wasm" \
        --dep "omnistorage:vocabulary=$directory/omnistorage-vocabulary.wasm" \
        --output "$directory/omnistorage-$kind.wasm"
done
"${WAC:-wac}" compose "$guest/command-line.wac" \
    --dep "omnistorage:library=$directory/omnistorage.wasm" \
    --dep "omnistorage:provider=$directory/omnistorage-provider-files.wasm" \
    --dep "omnistorage:vocabulary=$directory/omnistorage-vocabulary.wasm" \
    --dep "omnistorage:command-line=$command_line" \
    --output "$directory/omnistorage-cli.wasm"
