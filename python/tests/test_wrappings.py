"""Compressions and archives, against Python's own readers of them."""

import bz2
import gzip
import io
import lzma
import random
import subprocess
import tarfile
import zipfile

import pytest

import tablemill
from conftest import FIXTURES

pyarrow = pytest.importorskip("pyarrow")
zstandard = pytest.importorskip("zstandard")

ARCHIVES = sorted(path.name for path in (FIXTURES / "archives").iterdir())
# Refused as no zip; names that Python takes for cp437.
ANOTHER_WAY = ["prefixed.zip", "unicode_field.zip", "utf8_name_without_flag.zip"]


def lines(seed: int, rows: int) -> bytes:
    dice = random.Random(seed)
    colours = ["red", "green", "blue"]
    text = [f"{row},{dice.choice(colours)}{row % 97},{dice.random():.9f}\n" for row in range(rows)]
    return ("id,name,amount\n" + "".join(text)).encode()


def contents(data: bytes, name: str = "") -> list:
    """The tables in some bytes, of which nothing is to be said against."""
    ingest = tablemill.read(data, name=name)
    assert ingest.report["is_valid"], ingest.report["issues"]
    return [pyarrow.table(table) for table in ingest]


def zstd_all(data: bytes) -> bytes:
    """All frames; zstandard's own function reads the first one only."""
    with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
        return reader.read()


READERS = {"gz": gzip.decompress, "bz2": bz2.decompress, "xz": lzma.decompress, "zst": zstd_all}


def peer_members(path) -> list[tuple[str, bytes]]:
    """The files in an archive, as Python's modules see them; those that are csv."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return [(info.filename, archive.read(info)) for info in archive.infolist()]
    if path.suffix == ".zst":
        source = io.BytesIO(zstd_all(path.read_bytes()))
    else:
        source = io.BytesIO(path.read_bytes())
    with tarfile.open(fileobj=source, ignore_zeros=True) as archive:
        return [(e.name, archive.extractfile(e).read()) for e in archive if e.isreg()]


@pytest.mark.parametrize("name", [name for name in ARCHIVES if name not in ANOTHER_WAY])
def test_a_fixture_is_what_python_makes_of_it(name):
    path = FIXTURES / "archives" / name
    report = tablemill.inspect(path)
    layers = report["file"]["compression"]
    ours = [pyarrow.table(table) for table in tablemill.read(path)]
    if layers == [] or report["file"]["format"] != "csv":
        pytest.skip("no csv in a wrapping")
    if layers[0] == "zip" and "tar" in layers:
        pytest.skip("layers inside of members")
    if layers[0] == "zip" or "tar" in layers:
        try:
            members = [(member, data) for member, data in peer_members(path) if data]
        except NotImplementedError:
            pytest.skip("a method that Python has not")
        members = [(m, d) for m, d in members if m in report["file"]["members"]]
        if any(not member.endswith(".csv") for member, _ in members):
            pytest.skip("layers inside of members")
        assert [member for member, _ in members] == report["file"]["members"]
        theirs = [table for _, data in members for table in contents(data)]
    elif len(layers) > 1 or name.startswith(("padded_streams", "trailing_garbage")):
        pytest.skip("Python's own reader stops")
    else:
        kind = {"gzip": "gz", "bz2": "bz2", "xz": "xz", "zstd": "zst"}[layers[0]]
        theirs = contents(READERS[kind](path.read_bytes()))
    assert ours == theirs


def wrap(kind: str, data: bytes, dice: random.Random) -> bytes:
    if kind == "gz":
        return gzip.compress(data, dice.randrange(10))
    if kind == "bz2":
        return bz2.compress(data, dice.randrange(1, 10))
    if kind == "xz":
        return lzma.compress(data, preset=dice.randrange(4), check=dice.choice([1, 4, 10]))
    compressor = zstandard.ZstdCompressor(
        level=dice.randrange(1, 6),
        write_checksum=dice.random() < 0.5,
        write_content_size=dice.random() < 0.5,
    )
    return compressor.compress(data)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", READERS)
def test_any_pieces_give_the_whole(kind, seed):
    dice = random.Random(f"{kind}{seed}")
    data = lines(seed, dice.randrange(1, 30_000))
    cuts = sorted(dice.randrange(len(data)) for _ in range(dice.randrange(6)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
    packed = b"".join(wrap(kind, piece, dice) for piece in pieces)
    assert READERS[kind](packed) == data
    assert contents(packed) == contents(data)


@pytest.mark.parametrize("tool", [["xz", "-T2", "--block-size=100000"], ["xz", "--block-size=70000"],
                                  ["bzip2", "-1"], ["zstd", "-T2", "-B100000"], ["gzip", "-1"]],
                         ids=" ".join)
def test_what_the_tools_write(tool):
    data = lines(7, 40_000)
    try:
        packed = subprocess.run([*tool, "-c"], input=data, capture_output=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip(f"no {tool[0]} here")
    assert contents(packed) == contents(data)


@pytest.mark.parametrize("kind", READERS)
def test_a_cut_gives_the_lines_before_it(kind):
    data = lines(3, 30_000)
    cuts = range(0, len(data), 100_000)
    packed = b"".join(wrap(kind, data[at : at + 100_000], random.Random(at)) for at in cuts)
    ingest = tablemill.read(packed[: len(packed) * 2 // 3], name="data.csv")
    assert not ingest.report["is_valid"]
    issue = ingest.report["issues"][-1]
    assert (issue["stage"], issue["code"], issue["severity"]) == ("decompress", "truncated", "error")
    assert issue["byte_offset"] is not None
    [whole] = contents(data)
    ours = pyarrow.table(ingest[0])
    assert 10_000 < ours.num_rows < whole.num_rows
    assert ours == whole.slice(0, ours.num_rows)


@pytest.mark.parametrize("method", ["ZIP_STORED", "ZIP_DEFLATED", "ZIP_BZIP2", "ZIP_LZMA"])
def test_zip_methods(method):
    parts = {f"part {n}.csv": lines(n, 50 * n + 1) for n in range(8)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", getattr(zipfile, method)) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    assert contents(out.getvalue()) == [t for data in parts.values() for t in contents(data)]


@pytest.mark.parametrize("mode", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("form", ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"])
def test_tars(form, mode):
    long = {} if form == "USTAR_FORMAT" else {"ö" * 120 + "/deep.csv": lines(9, 10)}
    parts = {f"folder/part {n}.csv": lines(n, 50 * n + 1) for n in range(8)} | long
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{mode}", format=getattr(tarfile, form)) as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    assert tablemill.inspect(out.getvalue())["file"]["members"] == list(parts)
    assert contents(out.getvalue()) == [t for data in parts.values() for t in contents(data)]
