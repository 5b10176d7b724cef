#!/usr/bin/env python3
"""Writes each component as an OCI image layout, as registries and `oci push` of any tool take it:

    guest/oci.py DIRECTORY COMPONENT...

DIRECTORY/NAME then holds NAME.wasm, by the artifact format of the CNCF for WebAssembly: one layer, the component, and a
configuration that says what it imports and exports. What is written depends on the component alone; its time is that of
its file, or SOURCE_DATE_EPOCH.
"""

import datetime
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tomllib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.wasm.config.v0+json"
LAYER = "application/wasm"

PREAMBLE = b"\0asm\x0d\0\x01\0"
IMPORTS, EXPORTS = 10, 11


class Reader:
    """Bytes of a component, from a position on."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        return self.take(1)[0]

    def take(self, length):
        taken = self.data[self.at : self.at + length]
        if len(taken) < length:
            raise ValueError("it ends early")
        self.at += length
        return taken

    def number(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def name(self):
        if self.byte() > 1:
            raise ValueError("a name has attributes, which are not known here")
        return self.take(self.number()).decode()

    def described(self):
        """Reads over what an import is, or an export is said to be."""
        kind = self.byte()
        if kind == 0:
            self.byte()
        elif kind == 3 and self.byte() == 1:
            return
        elif kind not in (1, 3, 4, 5):
            raise ValueError(f"what is of kind {kind} is not known here")
        self.number()


def interfaces(component):
    """The names of what a component imports and exports, in its order."""
    if not component.startswith(PREAMBLE):
        raise ValueError("it is no component")
    imports, exports = [], []
    sections = Reader(component)
    sections.take(len(PREAMBLE))
    while sections.at < len(component):
        kind, section = sections.byte(), Reader(sections.take(sections.number()))
        if kind not in (IMPORTS, EXPORTS):
            continue
        for _ in range(section.number()):
            name = section.name()
            if kind == IMPORTS:
                section.described()
                imports.append(name)
                continue
            if section.byte() == 0:
                section.byte()
            section.number()
            if section.byte() == 1:
                section.described()
            exports.append(name)
    return imports, exports


def put(layout, media_type, blob):
    """Stores a blob by its digest; gives its descriptor."""
    digest = hashlib.sha256(blob).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(blob)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(blob)}


def encoded(value):
    return json.dumps(value, separators=(",", ":")).encode()


def write(directory, path, package):
    component = path.read_bytes()
    imports, exports = interfaces(component)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or path.stat().st_mtime)
    created = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    layout = directory / path.stem
    shutil.rmtree(layout / "blobs", ignore_errors=True)
    (layout / "blobs/sha256").mkdir(parents=True, exist_ok=True)
    layer = put(layout, LAYER, component)
    config = {
        "created": created,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer["digest"]],
        "component": {"exports": exports, "imports": imports, "target": None},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": put(layout, CONFIG, encoded(config)),
        "layers": [layer | {"annotations": {"org.opencontainers.image.title": path.name}}],
        "annotations": {
            "org.opencontainers.image.title": path.stem,
            "org.opencontainers.image.version": package["version"],
            "org.opencontainers.image.licenses": package["license"],
            "org.opencontainers.image.source": package["repository"],
            "org.opencontainers.image.created": created,
        },
    }
    tagged = put(layout, MANIFEST, encoded(manifest))
    tagged["annotations"] = {"org.opencontainers.image.ref.name": package["version"]}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [tagged]}
    (layout / "index.json").write_bytes(encoded(index))
    (layout / "oci-layout").write_bytes(encoded({"imageLayoutVersion": "1.0.0"}))


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: guest/oci.py DIRECTORY COMPONENT...")
    workspace = pathlib.Path(__file__).resolve().parent.parent / "Cargo.toml"
    package = tomllib.loads(workspace.read_text())["workspace"]["package"]
    for path in map(pathlib.Path, sys.argv[2:]):
        try:
            write(pathlib.Path(sys.argv[1]), path, package)
        except (OSError, ValueError) as error:
            sys.exit(f"{path}: {error}")


main()
