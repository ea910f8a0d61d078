"""Arrow's integration JSON as the plain values of `plain.py`.

The format is described in https://arrow.apache.org/docs/format/Integration.html.
"""

import gzip
import json
import struct
from decimal import Context, Decimal
from pathlib import Path

_EXACT = Context(prec=100)


def read(path: Path) -> tuple[list[str], list[list]]:
    """The column names and the values of every column, all batches together."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        document = json.load(file)
    fields = document["schema"]["fields"]
    reader = _Reader(document.get("dictionaries") or [])
    columns = [[] for _ in fields]
    for batch in document["batches"]:
        for column, field, data in zip(columns, fields, batch["columns"], strict=True):
            column += reader.values(field, data)
    return [field["name"] for field in fields], columns


class _Reader:
    def __init__(self, dictionaries: list):
        self.data = {d["id"]: d["data"]["columns"][0] for d in dictionaries}
        self.words: dict[int, list] = {}

    def values(self, field: dict, data: dict) -> list:
        found = self.dictionary(field) if "dictionary" in field else None
        if found is not None:
            plain = [found[index] for index in data["DATA"]]
        else:
            plain = _READERS[field["type"]["name"]](self, field, data)
        # Null arrays, unions and run ends have no validity of their own.
        valid = data.get("VALIDITY") if field["type"]["name"] != "null" else None
        if valid is None:
            return plain
        return [value if ok else None for value, ok in zip(plain, valid, strict=True)]

    def dictionary(self, field: dict) -> list:
        number = field["dictionary"]["id"]
        if number not in self.words:
            entries = {key: value for key, value in field.items() if key != "dictionary"}
            self.words[number] = self.values(entries, self.data[number])
        return self.words[number]

    def child(self, field: dict, data: dict, index: int) -> list:
        return self.values(field["children"][index], data["children"][index])

    def list(self, field, data):
        items = self.child(field, data, 0)
        ends = [int(offset) for offset in data["OFFSET"]] or [0]
        return [items[start:end] for start, end in zip(ends, ends[1:])]

    def map(self, field, data):
        # An entry is a struct of two fields, whatever these are called.
        return [[tuple(v for _, v in entry) for entry in row] for row in self.list(field, data)]

    def list_view(self, field, data):
        items = self.child(field, data, 0)
        parts = zip(map(int, data["OFFSET"]), map(int, data["SIZE"]), strict=True)
        return [items[start : start + size] for start, size in parts]

    def fixed_list(self, field, data):
        size = field["type"]["listSize"]
        items = self.child(field, data, 0)
        return [items[row * size : (row + 1) * size] for row in range(data["count"])]

    def struct(self, field, data):
        names = [child["name"] for child in field["children"]]
        columns = [self.child(field, data, index) for index in range(len(names))]
        return [
            [(name, column[row]) for name, column in zip(names, columns, strict=True)]
            for row in range(data["count"])
        ]

    def union(self, field, data):
        place = {code: index for index, code in enumerate(field["type"]["typeIds"])}
        children = [self.child(field, data, index) for index in range(len(place))]
        rows = map(int, data.get("OFFSET") or range(data["count"]))
        codes = data.get("TYPE_ID") or data.get("TYPE") or []
        return [children[place[code]][row] for code, row in zip(codes, rows)]

    def run_ends(self, field, data):
        ends, items = self.child(field, data, 0), self.child(field, data, 1)
        found: list = []
        for end, item in zip(ends, items, strict=True):
            found += [item] * (end - len(found))
        return found[: data["count"]]

    def views(self, field, data):
        buffers = [bytes.fromhex(text) for text in data["VARIADIC_DATA_BUFFERS"]]
        text = field["type"]["name"] == "utf8view"
        found = []
        for view in data["VIEWS"]:
            if "INLINED" in view:
                found.append(view["INLINED"] if text else bytes.fromhex(view["INLINED"]))
            else:
                start = view["OFFSET"]
                raw = buffers[view["BUFFER_INDEX"]][start : start + view["SIZE"]]
                found.append(raw.decode() if text else raw)
        return found


def _numbers(_reader, _field, data):
    return [int(value) for value in data["DATA"]]


def _floats(_reader, field, data):
    layout = {"HALF": "e", "SINGLE": "f", "DOUBLE": "d"}[field["type"]["precision"]]
    return [repr(struct.unpack(layout, struct.pack(layout, v))[0]) for v in data["DATA"]]


def _decimals(_reader, field, data):
    scale = field["type"]["scale"]
    return [Decimal(text).scaleb(-scale, _EXACT) for text in data["DATA"]]


def _intervals(_reader, field, data):
    # Every kind as months, days and nanoseconds, the only one that pyarrow has.
    if field["type"]["unit"] == "YEAR_MONTH":
        return [(months, 0, 0) for months in data["DATA"]]
    if field["type"]["unit"] == "DAY_TIME":
        return [(0, value["days"], value["milliseconds"] * 10**6) for value in data["DATA"]]
    return [(v["months"], v["days"], v["nanoseconds"]) for v in data["DATA"]]


_READERS = {
    "null": lambda _reader, _field, data: [None] * data["count"],
    "bool": lambda _reader, _field, data: [bool(value) for value in data["DATA"]],
    "int": _numbers,
    "floatingpoint": _floats,
    "decimal": _decimals,
    "utf8": lambda _reader, _field, data: data["DATA"],
    "largeutf8": lambda _reader, _field, data: data["DATA"],
    "binary": lambda _reader, _field, data: [bytes.fromhex(text) for text in data["DATA"]],
    "largebinary": lambda _reader, _field, data: [bytes.fromhex(text) for text in data["DATA"]],
    "fixedsizebinary": lambda _reader, _field, data: [bytes.fromhex(text) for text in data["DATA"]],
    "utf8view": _Reader.views,
    "binaryview": _Reader.views,
    "date": _numbers,
    "time": _numbers,
    "timestamp": _numbers,
    "duration": _numbers,
    "interval": _intervals,
    "list": _Reader.list,
    "largelist": _Reader.list,
    "listview": _Reader.list_view,
    "largelistview": _Reader.list_view,
    "fixedsizelist": _Reader.fixed_list,
    "map": _Reader.map,
    "struct": _Reader.struct,
    "union": _Reader.union,
    "runendencoded": _Reader.run_ends,
}
