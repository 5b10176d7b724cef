"""Hands bytes to a component, and takes them back, all at once.

The package wasmtime does both byte by byte. This replaces the two methods that do, by means that are not part of the
package's interface: it is made for the version in requirements.txt. Without `install()` all works the same, slowly.
"""

import ctypes

from wasmtime import _ffi as ffi
from wasmtime.component import _types

_SIZE = ctypes.sizeof(ffi.wasmtime_component_val_t)
_OFFSET = ffi.wasmtime_component_val_t.of.offset
_BLANK = bytes(ffi.wasmtime_component_val_t(kind=ffi.WASMTIME_COMPONENT_U8))

_slow_convert_to_c = _types.ListType.convert_to_c
_slow_convert_from_c = _types.ListType.convert_from_c


def install():
    """For all lists of bytes from now on."""
    _types.ListType.convert_to_c = _convert_to_c
    _types.ListType.convert_from_c = _convert_from_c


def _convert_to_c(self, store, value, target):
    if not (isinstance(value, bytes) and self._is_bytes()):
        return _slow_convert_to_c(self, store, value, target)
    # One value of wasmtime a byte, and the bytes themselves at the same place in each.
    values = bytearray(_BLANK * len(value))
    values[_OFFSET::_SIZE] = value
    list_of_values = ffi.wasmtime_component_vallist_t()
    ffi.wasmtime_component_vallist_new_uninit(list_of_values, len(value))
    ctypes.memmove(list_of_values.data, (ctypes.c_char * len(values)).from_buffer(values), len(values))
    target.contents.kind = ffi.WASMTIME_COMPONENT_LIST
    target.contents.of.list = list_of_values


def _convert_from_c(self, source):
    if not self._is_bytes():
        return _slow_convert_from_c(self, source)
    list_of_values = source.of.list
    values = ctypes.string_at(list_of_values.data, list_of_values.size * _SIZE)
    ffi.wasmtime_component_vallist_delete(ctypes.byref(list_of_values))
    return values[_OFFSET::_SIZE]
