"""The component `omnistorage:codec` in Python, run by wasmtime.

>>> codec = Codec("target/omnistorage-codec.wasm")
>>> packed = codec.compress(b"to and fro " * 1000, "gzip")
>>> codec.detect(head=packed)
'gzip'
>>> codec.decompress(packed, max_output=1000)
Traceback (most recent call last):
omnistorage_codec.Error: decompresses to more than the limit of 1000 bytes (at byte 19)

What each call means stands in wit/codec, the interface of the component.
"""

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

import fast_bytes

fast_bytes.install()


class Error(Exception):
    """What the component found wrong: a `code` to branch on, and the `offset` in the data where it has one."""

    def __init__(self, code, offset, message):
        super().__init__(message)
        self.code, self.offset = code, offset


class Codec:
    """An instance of the component, for one thread. It can touch nothing: no file, no network, no environment."""

    def __init__(self, path):
        config = Config()
        config.cache = True
        engine = Engine(config)
        linker = Linker(engine)
        linker.add_wasip2()
        self._store = Store(engine)
        self._store.set_wasi(WasiConfig())
        self._instance = linker.instantiate(self._store, Component.from_file(engine, path))

    def detect(self, path=None, head=b""):
        """The codec that the first bytes show, else the one that the path names; None if neither does."""
        return self._call("compression", "detect-codec", path, head)

    def compress(self, data, codec, level=None):
        """The whole of `data`, compressed."""
        return self._call("compression", "compress", data, codec, level)

    def decompress(self, data, codec=None, max_output=None, max_ratio=None, max_window=None):
        """The whole of `data`, decompressed."""
        options = _record(codec=codec, max_output=max_output, max_ratio=max_ratio, max_window=max_window)
        return self._call("compression", "decompress", data, options)

    def convert(self, read, source, target):
        """The records of a source in another encoding (see `encoding`), as chunks of bytes.

        `read()` gives the chunks of the source from its start: it is called twice where one pass cannot know how the
        target is to be written.
        """
        survey = self._call("records", "[static]survey.open", source, target)
        if survey is None:
            converter = self._call("records", "[static]converter.open", source, target)
        else:
            for chunk in read():
                self._call("records", "[method]survey.push", survey, chunk)
            converter = self._call("records", "[method]survey.finish", survey)
            survey.drop(self._store)
        for chunk in read():
            while output := self._call("records", "[method]converter.push", converter, chunk):
                yield output
                chunk = b""
        while output := self._call("records", "[method]converter.finish", converter):
            yield output
        converter.drop(self._store)

    def encoding(self, path, head=b""):
        """How the records of a path lie in it: what its extensions say, and its first bytes of the codec."""
        format = self._call("records", "detect-format", path)
        if format is None:
            raise Error("invalid-argument", None, f"{path}: its name tells no record format, like `.ndjson`")
        return _record(
            format=format,
            codec=self.detect(path, head),
            level=None,
            max_record=None,
            validation="framing",
        )

    def _call(self, interface, function, *arguments):
        index = self._instance.get_export_index(self._store, f"omnistorage:codec/{interface}@0.1.0")
        index = self._instance.get_export_index(self._store, function, index)
        result = self._instance.get_func(self._store, index)(self._store, *arguments)
        # A result is only tagged where the types of its two cases do not tell them apart.
        if isinstance(result, Variant) and result.tag in ("ok", "err"):
            result = result.payload
        if isinstance(result, Record) and hasattr(result, "message"):
            raise Error(result.code, result.offset, result.message)
        return result


def _record(**fields):
    """A record of WIT, whose names have hyphens."""
    record = Record()
    for name, value in fields.items():
        setattr(record, name.replace("_", "-"), value)
    return record
