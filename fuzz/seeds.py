"""Seeds for a fuzz target: the fixtures, and what is inside of their compressions and archives.

    python3 fuzz/seeds.py TARGET FOLDER
"""

import bz2
import gzip
import hashlib
import io
import lzma
import sys
import zipfile
import zlib
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
MOST_BYTES = 64 << 10

# What a target takes its seeds from; the others take all.
FOLDERS = {
    "csv": ["csv", "matrix", "broken"],
    "json": ["json", "matrix", "broken"],
    "arrow": ["arrow", "matrix", "broken"],
    "parquet": ["parquet", "matrix", "broken"],
    "orc": ["orc", "matrix", "broken"],
    "excel": ["excel", "matrix", "broken"],
    "sql": [],
}
MARKS = {"arrow": [b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"], "parquet": [b"PAR1", b"PARE"], "orc": [b"ORC"]}
TEXTS = [
    "SELECT * FROM data",
    "SELECT s, count(*) AS n FROM data GROUP BY s HAVING count(*) > 0 ORDER BY n DESC LIMIT 3",
    "SELECT a.s, row_number() OVER (PARTITION BY a.d ORDER BY b.v) FROM data a LEFT JOIN data b ON a.s = b.d",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT n FROM t",
    "SELECT CASE WHEN v > 1 THEN repeat(s, 3) ELSE NULL END, CAST(v AS DECIMAL(10, 2)) FROM data",
]


def inside(data: bytes, depth: int = 0):
    """The bytes, and those inside of every layer that Python can take off."""
    yield data
    if depth == 3:
        return
    try:
        if data[:2] == b"\x1f\x8b":
            layers = [gzip.GzipFile(fileobj=io.BytesIO(data)).read(MOST_BYTES)]
        elif data[:3] == b"BZh":
            layers = [bz2.BZ2File(io.BytesIO(data)).read(MOST_BYTES)]
        elif data[:6] == b"\xfd7zXZ\0":
            layers = [lzma.LZMAFile(io.BytesIO(data)).read(MOST_BYTES)]
        elif data[:4] == b"PK\x03\x04":
            archive = zipfile.ZipFile(io.BytesIO(data))
            layers = [archive.open(entry).read(MOST_BYTES) for entry in archive.infolist()[:20]]
        else:
            return
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError):
        return  # the damaged ones are seeds as they are
    for layer in layers:
        yield from inside(layer, depth + 1)


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    target, folder = sys.argv[1], Path(sys.argv[2])
    seeds = [text.encode() for text in TEXTS] if target == "sql" else []
    folders = FOLDERS.get(target.removeprefix("written_")) if not target.startswith("written_") else []
    for name in sorted(p.name for p in FIXTURES.iterdir() if p.is_dir()) if folders is None else folders:
        for file in sorted(path for path in (FIXTURES / name).rglob("*") if path.is_file()):
            seeds.extend(inside(file.read_bytes()))
    # The targets that write their files themselves only need bytes that differ.
    if target.startswith("written_"):
        blocks = [hashlib.shake_128(f"{target} {n}".encode()).digest(64 + 61 * n) for n in range(64)]
        seeds.extend(blocks)
    marks = MARKS.get(target)
    for seed in seeds:
        if 0 < len(seed) <= MOST_BYTES and (marks is None or seed.startswith(tuple(marks))):
            (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
