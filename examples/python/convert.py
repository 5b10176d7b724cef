"""Converts records from one encoding to another, told by the extensions of the paths:

    python convert.py events.ndjson.gz events.csv.zst
"""

import os
import sys

from omnistorage_codec import Codec, Error

CHUNK = 64 * 1024


def main(source, target):
    default = os.path.join(os.path.dirname(__file__), "../../target/omnistorage-codec.wasm")
    codec = Codec(os.environ.get("OMNISTORAGE_CODEC", default))

    def read():
        with open(source, "rb") as input:
            while chunk := input.read(CHUNK):
                yield chunk

    head = next(read(), b"")
    # The target is whole or as it was.
    unfinished = f"{target}.unfinished"
    try:
        with open(unfinished, "wb") as output:
            for piece in codec.convert(read, codec.encoding(source, head), codec.encoding(target)):
                output.write(piece)
        os.replace(unfinished, target)
    except BaseException:
        os.remove(unfinished)
        raise


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} SOURCE TARGET")
    try:
        main(*sys.argv[1:])
    except (Error, OSError) as error:
        sys.exit(f"error: {error}")
