"""Files: nets in and out, atomic writes, strict JSON."""

from modeconn.io.arrays import parse_npz, read_arrays, read_bytes, real_floats
from modeconn.io.atomic import file_sha256, npz_bytes, write_bytes, write_json, write_npz, write_text
from modeconn.io.net_files import NET_KEYS, read_net, write_net
from modeconn.io.strict_json import NonFinite, dumps, json_number, plain

__all__ = [
    "NET_KEYS",
    "NonFinite",
    "dumps",
    "file_sha256",
    "json_number",
    "npz_bytes",
    "parse_npz",
    "plain",
    "read_arrays",
    "read_bytes",
    "read_net",
    "real_floats",
    "write_bytes",
    "write_json",
    "write_net",
    "write_npz",
    "write_text",
]
