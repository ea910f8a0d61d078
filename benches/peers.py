"""The same files read by tablemill and by its peers, in seconds and memory.

    python benches/peers.py --mb 100 --runs 3

makes a table of orders of that size (the same rows every time), writes it in each format, and reads each file with each
peer in a process of its own: the peers in turn, then all again, `--runs` times. It prints a Markdown table of medians:

- Each read ends with the whole table in memory. Importing the library is not counted.
- Every peer is called as its documentation first shows it, without options. They do not do the same work then: "typed"
  says how many of the six columns of numbers, dates and truth values came out as something other than text, and whether
  zip codes were read as numbers, which loses their zeros.
- MB/s counts a million bytes of the file, or of the csv inside where it is compressed.
- "to the best other" is the time of the fastest other peer divided by this one's: above 1 is faster than all others.
- Memory is the peak of the process, the imported library included.

The files are in the system's cache. Build the wheel with `maturin build --release`, or the numbers say nothing.
"""

import argparse
import gzip
import importlib.metadata
import itertools
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

PEERS = ["tablemill", "pandas", "pyarrow", "polars", "duckdb"]
FORMATS = ["csv", "ndjson", "json", "parquet", "csv.gz"]
COLUMNS = "order_id customer_id status total ordered_on shipped_at priority clerk zip paid comment".split()
PRIORITY = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
WORDS = 'packages sleep quickly, final deposits above the "bold" requests haggle among ideas'.split()


def orders():
    """The rows, without end and the same every time."""
    rng = random.Random(20261122)
    first_day = datetime(2015, 1, 1)
    for order_id in itertools.count(1):
        day = first_day + timedelta(days=int(rng.random() * 4000))
        shipped = day + timedelta(seconds=int(rng.random() * 30 * 86400))
        yield (
            order_id,
            1 + int(rng.random() * 150_000),
            rng.choice("FOP"),
            (100_000 + int(rng.random() * 50_000_000)) / 100,
            day.strftime("%Y-%m-%d"),
            shipped.isoformat() if rng.random() > 0.05 else None,
            rng.choice(PRIORITY),
            f"Clerk#{1 + int(rng.random() * 1000):09}",
            f"{501 + int(rng.random() * 99_000):05}",
            rng.random() > 0.3,
            " ".join(rng.choices(WORDS, k=2 + int(rng.random() * 5))),
        )


def csv_cell(value):
    """A value as csv has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:.2f}" if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if '"' in text or "," in text else text


def make_text_files(folder, size):
    """Writes the table as csv of about `size` bytes, and the same rows as ndjson, JSON array and gzipped csv."""

    def create(name):
        return open(folder / name, "w", newline="\n")

    with create("orders.csv") as csv, create("orders.ndjson") as ndjson, create("orders.json") as array:
        written = csv.write(",".join(COLUMNS) + "\n")
        separator = "[\n"
        for row in orders():
            written += csv.write(",".join(map(csv_cell, row)) + "\n")
            line = json.dumps(dict(zip(COLUMNS, row)))
            ndjson.write(line + "\n")
            array.write(separator + line)
            separator = ",\n"
            if written >= size:
                break
        array.write("\n]\n")
    with open(folder / "orders.csv", "rb") as csv, gzip.GzipFile(folder / "orders.csv.gz", "wb", 6, mtime=0) as packed:
        while piece := csv.read(1 << 20):
            packed.write(piece)


def make_parquet(folder):
    """Writes the csv as Parquet with snappy pages, codes kept as text."""
    import pyarrow.csv
    import pyarrow.parquet

    convert = pyarrow.csv.ConvertOptions(column_types={"zip": pyarrow.string()})
    table = pyarrow.csv.read_csv(folder / "orders.csv", convert_options=convert)
    pyarrow.parquet.write_table(table, folder / "orders.parquet")


# Each of these imports a peer and gives two functions: one reads the file, one tells of the result how many rows it has
# and which of its columns are something other than text.


def read_tablemill(kind, path):
    import tablemill

    def shape(ingest):
        table = ingest.report["tables"][0]
        return table["num_rows"], [column["dtype"] != "object" for column in table["columns"]]

    return lambda: tablemill.read(path), shape


def read_pandas(kind, path):
    import pandas

    readers = {
        "ndjson": lambda path: pandas.read_json(path, lines=True),
        "json": pandas.read_json,
        "parquet": pandas.read_parquet,
    }
    read = readers.get(kind, pandas.read_csv)
    return lambda: read(path), lambda frame: (len(frame), [t not in ("object", "str") for t in frame.dtypes])


def read_pyarrow(kind, path):
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet

    if kind == "json":
        raise NotImplementedError("no reader for it")
    readers = {"ndjson": pyarrow.json.read_json, "parquet": pyarrow.parquet.read_table}
    read = readers.get(kind, pyarrow.csv.read_csv)
    return lambda: read(path), lambda table: (table.num_rows, [t != "string" for t in table.schema.types])


def read_polars(kind, path):
    import polars

    readers = {"ndjson": polars.read_ndjson, "json": polars.read_json, "parquet": polars.read_parquet}
    read = readers.get(kind, polars.read_csv)
    return lambda: read(path), lambda frame: (len(frame), [t != polars.String for t in frame.dtypes])


def read_duckdb(kind, path):
    import duckdb

    function = {"ndjson": "read_json", "json": "read_json", "parquet": "read_parquet"}.get(kind, "read_csv")
    connection = duckdb.connect()

    def shape(_):
        rows = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
        return rows, [column[1] != "VARCHAR" for column in connection.execute("DESCRIBE orders").fetchall()]

    return lambda: connection.execute(f"CREATE TABLE orders AS SELECT * FROM {function}(?)", [path]), shape


def child(peer, kind, path):
    """One read in this process; prints what it took as JSON. Peak memory is taken before anything else is asked."""
    read, shape = globals()[f"read_{peer}"](kind, path)
    start = time.perf_counter()
    result = read()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    rows, typed = shape(result)
    lost = ", zip lost" if typed.pop(COLUMNS.index("zip")) else ""
    print(json.dumps({"seconds": seconds, "peak": peak, "rows": rows, "typed": f"{sum(map(bool, typed))} of 6{lost}"}))


def run(*arguments):
    """Runs this file in a process of its own; gives what it printed, or the last line of what went wrong."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}
    return {"failed": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]}


def compare(kind, path, counted, peers, runs, left_out):
    """Reads one file with every peer and prints its part of the table."""
    measured = {peer: [] for peer in peers}
    for _ in range(runs):
        for peer in list(measured):
            result = run("--child", peer, kind, str(path))
            if "failed" in result:
                left_out.append(f"{peer}, {kind}: {result['failed']}")
                del measured[peer]
            else:
                measured[peer].append(result)
    medians = {peer: statistics.median(one["seconds"] for one in results) for peer, results in measured.items()}
    if len({one["rows"] for results in measured.values() for one in results}) > 1:
        left_out.append(f"{kind}: the peers do not agree on the number of rows")
    for peer, seconds in sorted(medians.items(), key=lambda item: item[1]):
        others = [other for name, other in medians.items() if name != peer]
        ratio = f"{min(others) / seconds:.2f}" if others else "–"
        peak = statistics.median(one["peak"] for one in measured[peer]) / 1e6
        speed, typed = counted / seconds / 1e6, measured[peer][0]["typed"]
        print(f"| {kind} | {peer} | {seconds:.3f} | {speed:.0f} | {ratio} | {peak:.0f} | {typed} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Compares tablemill with its peers.")
    parser.add_argument("--mb", type=float, default=100, help="size of the csv in millions of bytes")
    parser.add_argument("--runs", type=int, default=3, help="reads of each file by each peer")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--parquet", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(*arguments.child)
    if arguments.parquet:
        return make_parquet(Path(arguments.parquet))

    left_out, versions = [], {}
    for peer in arguments.peers:
        try:
            versions[peer] = importlib.metadata.version(peer)
        except importlib.metadata.PackageNotFoundError:
            left_out.append(f"{peer}: not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_text_files(folder, arguments.mb * 1e6)
        # In another process, because a child's peak memory begins with that of its parent.
        made = run("--parquet", name)
        if "failed" in made:
            left_out.append(f"parquet: cannot be made: {made['failed']}")
        named = ", ".join(f"{peer} {version}" for peer, version in versions.items())
        print(f"{named}; {os.cpu_count()} processors; {arguments.mb:g} MB of csv; median of {arguments.runs}.\n")
        print("| format | peer | seconds | MB/s | to the best other | peak MB | typed |")
        print("|---|---|--:|--:|--:|--:|---|")
        for kind in arguments.formats:
            path = folder / f"orders.{kind}"
            if not path.exists():
                continue
            counted = (folder / "orders.csv" if kind == "csv.gz" else path).stat().st_size
            compare(kind, path, counted, versions, arguments.runs, left_out)
    if left_out:
        print("\nLeft out: " + "; ".join(left_out) + ".")


if __name__ == "__main__":
    main()
