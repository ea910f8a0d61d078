"""The compressed csv and the columnar files of peers.py, and how each peer reads them."""

import bz2
import gzip
import itertools
import lzma
import shutil
import subprocess
import sys
from pathlib import Path

CSV = ["orders.csv.gz", "orders.csv.bz2", "orders.csv.xz", "orders.csv.zst"]
COLUMNAR = [
    *("lineitem.snappy.parquet", "lineitem.zstd.parquet", "lineitem.zlib.orc", "lineitem.zstd.orc"),
    *("lineitem.uncompressed.arrow", "lineitem.lz4.arrow"),
]
PACKED = CSV + COLUMNAR
BLOCK = 24 << 20  # what `xz -T` takes for a block at its usual level

# As for plain csv; but a sample counts here, since of Polars' ways no other ends in reasonable time.
TEXT_WAYS = {
    "tablemill": [""],
    "pandas": ["(engine pyarrow)", "(engine c)"],
    "pyarrow": ["", "(blocks of 8 MiB)"],
    "polars": ["(sample)", "(sample, no dates)"],
    "duckdb": ["", "(sample)"],
}
ONLY = lambda *peers: {peer: ways for peer, ways in TEXT_WAYS.items() if peer in peers}
WAYS = {
    "gz": TEXT_WAYS,
    "zst": TEXT_WAYS,
    "bz2": ONLY("tablemill", "pandas", "pyarrow"),
    "xz": ONLY("tablemill", "pandas"),
    "parquet": {
        "tablemill": [""],
        "pyarrow": ["", "(memory map)"],
        "polars": ["", "(lazy)"],
        "duckdb": ["", "(any order)"],
    },
    "orc": {"tablemill": [""], "pyarrow": [""]},
    "arrow": {"tablemill": [""], "pyarrow": ["", "(memory map, nothing read)"], "polars": [""]},
}
# pyarrow looks at no value of a mapped file, so that damage ends the process that reads the table later.
EXTRA = {("arrow", "pyarrow", "(memory map, nothing read)")}

NOTES = {
    "gz": """\
Compressed csv: MB/s are those of the text inside. Polars and DuckDB read no bz2 and no xz, pyarrow no xz. Polars'
types are from a sample of 100 rows.""",
    "parquet": """\
Columnar: all columns into memory. Polars and DuckDB hand texts over as views where they have them.""",
}


def make(name, folder, scale, tpch):
    """Writes one of PACKED; gives what is to be found in it. `tpch` writes a table of TPC-H as csv."""
    path, source = folder / name, folder / f"{name.split('.')[0]}.csv"
    if not source.exists():
        tpch(folder, source.stem, scale)
    if name in CSV:
        pack(source, path)
    else:
        write_columns(source, path)
    with open(source, "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
    return {"rows": rows, "columns": {"orders": 9, "lineitem": 16}[source.stem], "plain": source.stat().st_size}


def pack(source, path):
    """As the programs of these names write it, with no options."""
    if path.suffix == ".zst":
        import zstandard

        with open(source, "rb") as plain, open(path, "wb") as packed:
            zstandard.ZstdCompressor(level=3).copy_stream(plain, packed, size=source.stat().st_size)
    elif path.suffix == ".xz":
        # In several blocks, which only the program can write; without it one stream after the other is as good.
        if shutil.which("xz"):
            with open(path, "wb") as packed:
                subprocess.run(["xz", "-T2", "-6", "-c", source], stdout=packed, check=True)
            return
        with open(source, "rb") as plain, open(path, "wb") as packed:
            for block in iter(lambda: plain.read(BLOCK), b""):
                packed.write(lzma.compress(block))
    else:
        opened = gzip.GzipFile(path, "wb", 6, mtime=0) if path.suffix == ".gz" else bz2.open(path, "wb", 9)
        with open(source, "rb") as plain, opened as packed:
            shutil.copyfileobj(plain, packed, 1 << 20)


def write_columns(source, path):
    """The rows of a csv as pyarrow writes them."""
    import pyarrow.csv
    import pyarrow.feather
    import pyarrow.orc
    import pyarrow.parquet

    table = pyarrow.csv.read_csv(source)
    codec = path.suffixes[0][1:]
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path, compression=codec)
    elif path.suffix == ".orc":
        pyarrow.orc.write_table(table, path, compression=codec)
    else:
        pyarrow.feather.write_feather(table, path, compression=codec)


def write_tiny(path, text):
    """A file of two rows in the wrapping or the format of `path`."""
    if path.suffix in (".parquet", ".orc", ".arrow"):
        plain = path.with_name("tiny-of-columns.csv")
        plain.write_text(text)
        codec = {".parquet": "snappy", ".orc": "zlib", ".arrow": "uncompressed"}[path.suffix]
        made = path.with_name(f"tiny.{codec}{path.suffix}")
        write_columns(plain, made)
        made.rename(path)
        return plain.unlink()
    plain = path.with_suffix("")
    plain.write_text(text)
    pack(plain, path)


def column_reader(peer, way, kind):
    """A function that reads a columnar file into Arrow memory in one of the peer's ways."""
    if peer == "pyarrow":
        import pyarrow.feather
        import pyarrow.orc
        import pyarrow.parquet

        mapped = way.startswith("(memory map")
        return {
            "parquet": lambda path: pyarrow.parquet.read_table(path, memory_map=mapped),
            "orc": lambda path: pyarrow.orc.read_table(path),
            "arrow": lambda path: pyarrow.feather.read_table(path, memory_map=mapped),
        }[kind]
    if peer == "polars":
        import polars

        newest = polars.CompatLevel.newest()
        if kind == "arrow":
            return lambda path: polars.read_ipc(path).to_arrow(compat_level=newest)
        if way == "(lazy)":
            return lambda path: polars.scan_parquet(path).collect().to_arrow(compat_level=newest)
        return lambda path: polars.read_parquet(path).to_arrow(compat_level=newest)
    import duckdb

    connection = duckdb.connect()
    if way == "(any order)":
        connection.execute("SET preserve_insertion_order = false")
    return lambda path: connection.execute("FROM read_parquet(?)", [path]).to_arrow_table()


def differences(table, path, kind):
    """Where the first columns differ from the file as pyarrow reads it, in words."""
    import pyarrow

    right = column_reader("pyarrow", "", kind)(path)
    for name in right.column_names[:2]:
        read = table.column(name).cast(right.column(name).type)
        if not pyarrow.chunked_array(read).equals(pyarrow.chunked_array(right.column(name))):
            return f"; {name} differs"
    return ""


def first_cells(path, rows):
    """The first cell of the first rows of a compressed csv."""
    if path.endswith(".zst"):
        import io

        import zstandard

        opened = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(open(path, "rb")), encoding="utf-8")
    else:
        opened = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}[Path(path).suffix[1:]](path, "rt")
    with opened as lines:
        return [line.split(",", 1)[0] for line in itertools.islice(lines, 1, rows + 1)]


if __name__ == "__main__":
    sys.exit("run peers.py")
