#!/bin/sh
# Builds a component of this workspace for wasm32-wasip2.
#
#   guest/build.sh [PACKAGE] OUTPUT            build PACKAGE (default: omnistorage-component) and copy the component to OUTPUT
#   guest/build.sh PACKAGE OUTPUT FEATURES     the same with these features of it, joined by commas, and no others
#   guest/build.sh --toolchain                 only say which toolchain it would use: rustup or debian
#
# This is the one place where the toolchain is chosen: the standard library that rustup installed, else the one that
# Debian's packages bring as source. WASM_TOOLCHAIN=rustup|debian forces the choice. COMPONENT_PROFILE=component-test
# builds as the tests do where nothing hangs on size and speed: in a fraction of the time.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cargo=${CARGO:-cargo}
debian_rustc=/usr/bin/rustc
debian_std=/usr/lib/rustlib/src/rust/library
debian_libc=/usr/lib/wasm32-wasi

die() {
    echo "guest/build.sh: $*" >&2
    exit 1
}

# The script runs inside build scripts too: what the outer cargo sets for its own target must not reach this build.
unset RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTC_LINKER RUSTDOC RUSTFLAGS CARGO_ENCODED_RUSTFLAGS \
    CARGO_BUILD_RUSTC CARGO_BUILD_RUSTC_WRAPPER CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER \
    CARGO_BUILD_RUSTFLAGS CARGO_BUILD_TARGET

sysroot=$(rustc --print sysroot) || die "there is no rustc on PATH; install Rust from https://rustup.rs"
host=$(rustc -vV | sed -n 's/^host: //p')
linkers=$sysroot/lib/rustlib/$host/bin

rustup_is_ready() { [ -d "$sysroot/lib/rustlib/wasm32-wasip2" ]; }

# Debian has no wasm-component-ld: it is taken from the toolchain on PATH.
debian_is_ready() {
    [ -x "$debian_rustc" ] && [ -d "$debian_std" ] && [ -d "$debian_libc" ] && [ -x "$linkers/wasm-component-ld" ]
}

case ${WASM_TOOLCHAIN:-} in
    rustup) rustup_is_ready || die "the target wasm32-wasip2 is not installed: run \`make setup\`" ;;
    debian) debian_is_ready || die "Debian's packages for wasm32-wasip2 are not installed: run \`make setup\`" ;;
    '') ;;
    *) die "WASM_TOOLCHAIN is \`$WASM_TOOLCHAIN\`; it can be rustup or debian" ;;
esac
if [ -n "${WASM_TOOLCHAIN:-}" ]; then
    toolchain=$WASM_TOOLCHAIN
elif rustup_is_ready; then
    toolchain=rustup
elif debian_is_ready; then
    toolchain=debian
else
    die "there is no toolchain for wasm32-wasip2: run \`make setup\`"
fi

case $# in
    1) package=omnistorage-component output=$1 features= ;;
    2) package=$1 output=$2 features= ;;
    3) package=$1 output=$2 features=$3 ;;
    *) die "usage: guest/build.sh [PACKAGE] OUTPUT [FEATURES]" ;;
esac
if [ "$output" = --toolchain ]; then
    echo "$toolchain"
    exit
fi

# A directory of its own: the outer cargo holds the lock of the other while this runs. The output's path may be
# relative, so it is the caller's directory that it is relative to; cargo's target directory to the workspace's.
case ${CARGO_TARGET_DIR:=target} in
    /*) ;;
    *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;;
esac
export CARGO_TARGET_DIR="$CARGO_TARGET_DIR/component"
export RUSTFLAGS="-C target-feature=+simd128"

profile=${COMPONENT_PROFILE:-component}
set -- build --quiet --manifest-path "$root/Cargo.toml" --package "$package" --profile "$profile" --target wasm32-wasip2
[ -z "$features" ] || set -- "$@" --no-default-features --features "$features"
case $toolchain in
    rustup) "$cargo" "$@" ;;
    debian)
        export RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS="-L $debian_libc $RUSTFLAGS" PATH="$linkers:$PATH"
        "$cargo" "$@" -Zbuild-std=std,panic_abort
        ;;
esac

built=$CARGO_TARGET_DIR/wasm32-wasip2/$profile/$(echo "$package" | tr - _).wasm
[ -f "$built" ] || die "the package $package is no component: its crate-type must be cdylib"

# An equal file keeps its time, so what embeds it is not built again.
mkdir -p "$(dirname -- "$output")"
cmp -s "$built" "$output" 2>/dev/null && exit
cp "$built" "$output.$$"
mv "$output.$$" "$output"
