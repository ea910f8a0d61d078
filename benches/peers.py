"""The same csv files read into Arrow tables by tablemill and by its peers, side by side on one machine.

    python benches/peers.py --requirements > r.txt; pip install -r r.txt    the peers, and what makes lineitem
    python benches/peers.py make                                            the files, 2.4 GB, and 5 GB for `memory`
    python benches/peers.py time                                            seconds, MB/s and memory of each peer
    python benches/peers.py memory --bin target/release/tablemill           peak memory on the file of 5 GB
    python benches/peers.py small                                           how long `inspect` takes on small files
    python benches/peers.py --smoke                                         all of it on tiny files

Each read has a process of its own: it imports the peer, reads a tiny file, and is timed from the call to the Arrow
table in memory. All ways of all peers in turn, then all again, `--rounds` times, the files in the system's cache. Of a
peer's ways to read, the fastest is the figure that counts. A table of a wrong shape is a failure, not a time. MB/s is
millions of bytes of the file; "times tablemill" the peer's time divided by tablemill's; peak memory the most that was
resident, the library and the pages of a mapped file included; "types" what the columns became.

Everything runs on `--cores` cores. Build the wheel with `maturin build --release`, or the numbers say nothing.
"""

import argparse
import collections
import csv
import gzip
import importlib.metadata
import itertools
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

# Tried together on Python 3.11, the last that datatable has a wheel for; openpyxl writes the workbooks of `small`.
REQUIREMENTS = """pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.0 datafusion==55.0.0 datatable==1.1.0
tpchgen-cli==4.0.0 openpyxl==3.1.5"""
DATA = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tablemill" / "bench"
FILES = ["lineitem", "quoted", "wide", "floats", "newlines"]
UNIT = 1 if sys.platform == "darwin" else 1024  # of the peak memory that the system tells


# --- The files. The same bytes every time: rows are drawn from pools of distinct ones, which is quick to write. ---

POOL = 50_000
WIDE_PARTS, WIDE_COLUMNS = 20, 50
SYLLABLES = "ba co di fu ga he ki lo mu na pe qui ra so ti va wen xa yo zé".split()


def words(rng, least, most):
    return " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(rng.randint(least, most)))


def day(rng):
    return date.fromordinal(rng.randrange(730_000, 739_000)).isoformat()


def quoted_row(rng, _):
    tail = rng.choice([f' ""{words(rng, 1, 4)}"", ' + words(rng, 2, 9), ", " + words(rng, 3, 9), ""])
    url = f"https://example.org/{words(rng, 1, 1)}/{rng.randrange(10**6)}"
    texts = [words(rng, 3, 8), words(rng, 2, 3), words(rng, 15, 45) + tail, url, rng.choice(["news", "arts, music"])]
    return f"{rng.randrange(10**9)}," + ",".join(f'"{text}"' for text in texts) + f",{day(rng)},{rng.randrange(500)}\n"


def wide_row(rng, part):
    cells = []
    for _ in range(WIDE_COLUMNS // 5):
        numbers = str(rng.randrange(100_000)), f"{rng.uniform(-1000, 1000):.2f}", str(rng.randrange(-(10**12), 10**12))
        cells += [*numbers, words(rng, 1, 2), day(rng)]
    return ",".join(cell if rng.random() > 0.02 else "" for cell in cells) + ",\n"[part == WIDE_PARTS - 1]


def floats_row(rng, _):
    cells = [repr(rng.uniform(-180, 180)) for _ in range(3)]
    cells += [repr(rng.random()), f"{rng.gauss(0, 1e4):.15g}", f"{rng.expovariate(1e-9):.16e}"]
    cells += [f"{rng.uniform(0, 1000):.6g}" for _ in range(3)]
    cells += [f"{rng.gauss(0, 1):.6f}", f"{rng.gauss(0, 1e-12):.5e}", f"{rng.uniform(0, 1e6):.2f}"]
    return ",".join(cells) + "\n"


def newlines_row(rng, _):
    end = rng.choice(["\n", "\n", "\r\n"])
    body = end.join(words(rng, 3, 9) for _ in range(rng.randint(1, 8)))
    body += rng.choice([f'{end}{end}""{words(rng, 2, 5)}"",{end}{words(rng, 1, 2)}', "", ""])
    address = end.join([words(rng, 2, 2), f"{rng.randrange(200)} {words(rng, 1, 1)}", words(rng, 1, 2)])
    return f'{rng.randrange(10**9)},{words(rng, 2, 4)},"{body}","{address}",{rng.uniform(0, 1e4):.2f},{day(rng)}\n'


# Of each file: its columns, what makes a row or a part of it, and how many parts a row has.
SHAPES = {
    "quoted": ("id,title,author,body,url,section,created,score".split(","), quoted_row, 1),
    "wide": ([f"c{index}" for index in range(WIDE_PARTS * WIDE_COLUMNS)], wide_row, WIDE_PARTS),
    "floats": ([f"x{index}" for index in range(12)], floats_row, 1),
    "newlines": ("id,subject,body,address,amount,sent".split(","), newlines_row, 1),
}


def make_shape(name, path, size):
    """Writes one of SHAPES of about `size` bytes; gives what is to be found in it."""
    columns, row, parts = SHAPES[name]
    rng = random.Random(name)
    distinct = min(POOL, size // 100) // parts + 2
    pools = [[row(rng, part) for _ in range(distinct)] for part in range(parts)]
    average = sum(len(pool[0]) for pool in pools)
    rows = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        written = file.write(",".join(columns) + "\n")
        while written < size:
            many = max(1, min(1000, (size - written) // average))
            drawn = zip(*(rng.choices(pool, k=many) for pool in pools))
            written += file.write("".join(itertools.chain.from_iterable(drawn)))
            rows += many
    return {"rows": rows, "columns": len(columns), "bytes": path.stat().st_size}


def make_big(path, lineitem, size):
    """Writes the rows of lineitem as often as `size` bytes take; gives how often."""
    times = 0
    with open(path, "wb") as big, open(lineitem, "rb") as part:
        big.write(part.readline())
        body = part.tell()
        while times == 0 or big.tell() < size:
            part.seek(body)
            shutil.copyfileobj(part, big, 1 << 20)
            times += 1
    return times


def make(folder, scale, mb, big_gb):
    """Makes all files, and facts.json, which says what is to be found in them."""
    folder.mkdir(parents=True, exist_ok=True)
    lineitem, big = folder / "lineitem.csv", folder / "big.csv"
    tool = Path(sys.executable).parent / "tpchgen-cli"
    options = ["--scale-factor", str(scale), "--tables", "lineitem", "--output-dir", str(folder)]
    subprocess.run([tool, "csv", *options, "--overwrite", "--quiet"], check=True)
    with open(lineitem, "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
    facts = {"lineitem": {"rows": rows, "columns": 16, "bytes": lineitem.stat().st_size}}
    for name in SHAPES:
        facts[name] = make_shape(name, folder / f"{name}.csv", int(mb * 1e6))
    times = make_big(big, lineitem, big_gb * 1e9)
    facts["big"] = {"rows": rows * times, "columns": 16, "bytes": big.stat().st_size}
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    for name, fact in facts.items():
        print(f"{name}.csv: {fact['bytes'] / 1e6:,.1f} MB, {fact['rows']:,} rows, {fact['columns']:,} columns")
    print()


# --- The peers. ---


def reader(peer, way, newlines):
    """Imports a peer and gives a function that reads a file into Arrow memory in one of the peer's ways.

    `newlines` says that cells of the file have line ends, which some must be told.
    """
    if peer == "tablemill":
        import tablemill

        return lambda path: tablemill.read(path).tables[0]
    if peer == "pandas":
        import pandas
        import pyarrow

        c = {"engine": "c", "low_memory": False}
        options = c if way == "(engine c)" else {"engine": "pyarrow", "dtype_backend": "pyarrow"}
        return lambda path: pyarrow.Table.from_pandas(pandas.read_csv(path, **options), preserve_index=False)
    if peer == "pyarrow":
        from pyarrow.csv import ParseOptions, ReadOptions, read_csv

        read = ReadOptions(block_size=8 << 20 if way == "(blocks of 8 MiB)" else None)
        parse = ParseOptions(newlines_in_values=newlines)
        return lambda path: read_csv(path, read_options=read, parse_options=parse)
    if peer == "polars":
        import polars

        newest = polars.CompatLevel.newest()  # Arrow's string views, as Polars has them: no copy
        options = {"infer_schema_length": 100 if way == "(sample)" else None, "try_parse_dates": True}
        return lambda path: polars.read_csv(path, **options).to_arrow(compat_level=newest)
    if peer == "duckdb":
        import duckdb

        connection = duckdb.connect()
        if way == "(sample)":
            return lambda path: connection.sql("FROM read_csv(?)", params=[path]).to_arrow_table()
        # `sql` would look for the types twice. `execute` warns that it copies once more; it is faster all the same.
        query = "FROM read_csv(?, sample_size = -1)"
        return lambda path: connection.execute(query, [path]).to_arrow_table()
    if peer == "datafusion":
        import datafusion

        # With newlines in cells it fails as soon as it takes types from more than 8 KiB.
        rows = 10**12 if not way else 20 if newlines else 1000
        options = datafusion.CsvReadOptions(newlines_in_values=newlines, schema_infer_max_records=rows)
        config = datafusion.SessionConfig().with_repartition_file_scans("in order" not in way)
        return lambda path: datafusion.SessionContext(config).read_csv(path, options=options).to_arrow_table()
    import datatable

    return lambda path: datatable.fread(path) if way == "(its own frame)" else datatable.fread(path).to_arrow()


# Of each peer, its ways to read a file; and what is never its figure: types from so few rows, or no Arrow table.
PEERS = {
    "tablemill": [""],
    "pandas": ["(engine pyarrow)", "(engine c)"],
    "pyarrow": ["", "(blocks of 8 MiB)"],
    "polars": ["", "(sample)"],
    "duckdb": ["", "(sample)"],
    "datafusion": ["", "(sample)", "(sample, in order)"],
    "datatable": ["", "(its own frame)"],
}
EXTRA = {("polars", "(sample)"), ("datatable", "(its own frame)")}
NOTES = """\
Bold: a peer's fastest way, its figure. "(sample)": types from the first 100 (polars), 20,480 (duckdb) or 1,000 rows
(datafusion; 20 in newlines.csv) instead of all. pandas finds no dates with engine c. Never a figure: polars with a
sample, and datatable's own frame, not yet Arrow."""


def types_of(table):
    """What the columns of an Arrow table are, in words."""
    from pyarrow import types

    kinds = ["integer", "floating", "decimal", "boolean", "date", "timestamp"]
    kind_of = lambda type: next((kind for kind in kinds if getattr(types, f"is_{kind}")(type)), "text")
    counted = collections.Counter(map(kind_of, table.schema.types))
    return ", ".join(f"{counted[kind]} {kind}" for kind in [*kinds, "text"] if counted[kind])


def differences(table, path, name):
    """Where the table's first rows differ from the file's, in words: in their order, or in what floats.csv has."""
    with open(path, encoding="utf-8", newline="") as file:
        texts = list(itertools.islice(csv.reader(file), 1, 20_001))
    columns = [column.to_pylist() for column in table.slice(0, len(texts)).columns[: 12 if name == "floats" else 1]]
    meant = [[float(text or "nan") for text in column] for column in zip(*(row[: len(columns)] for row in texts))]
    pairs = [(a, b) for read, right in zip(columns, meant) for a, b in zip(read, right) if a is not None]
    if any(abs(a - b) > 1e-9 * abs(b) for a, b in pairs):
        return "; rows not in order"
    wrong = sum(a != b for a, b in pairs)
    return f"; {wrong / len(pairs):.2%} not the nearest double" if wrong else ""


def child(peer, way, path, tiny, name):
    """One read in this process. Peak memory is taken before anything else is asked."""
    read = reader(peer, way, name == "newlines")
    read(tiny)
    start, cpu = time.perf_counter(), time.process_time()
    result = read(path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT

    import pyarrow

    table = result.to_arrow() if way == "(its own frame)" else pyarrow.table(result)
    types = types_of(table) + differences(table, path, name)
    shape = {"rows": table.num_rows, "columns": table.num_columns, "types": types}
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak": peak, **shape}))


def run_child(arguments, timeout):
    """Runs this file in a process of its own; gives what it printed, or in short what went wrong."""
    try:
        command = [sys.executable, __file__, "child", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"failed": f"took over {timeout:g} s"}
    if done.returncode == 0:
        return json.loads(done.stdout.strip().splitlines()[-1]) | {"warnings": done.stderr}
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return {"failed": lines[-1][:160] if lines else f"ended with {done.returncode}"}


# --- The measurements. ---


def versions():
    """Of each peer that is installed, its version."""
    installed = {one.name: one.version for one in importlib.metadata.distributions()}
    return {peer: installed[peer] for peer in PEERS if peer in installed}


def machine():
    """The processor and the cores in use, in words."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.machine())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores of {name}, {platform.platform(terse=True)}, Python {platform.python_version()}"


def time_file(name, fact, ways, given):
    """Reads one file in every way of every peer; gives a result for each."""
    path, tiny = given.data / f"{name}.csv", given.data / "tiny.csv"
    tiny.write_text('a,b,c,d\n1,2.5,"x, y",2024-01-02\n2,3.5,z,2024-01-03\n')
    results = [{"file": name, "peer": peer, "way": way, "runs": []} for peer, way in ways]
    for turn in range(given.rounds):
        with open(path, "rb", buffering=0) as file:
            while file.read(1 << 24):
                pass
        for result in results[turn % len(ways) :] + results[: turn % len(ways)]:
            if "failed" in result:
                continue
            run = run_child([result["peer"], result["way"], path, tiny, name], given.timeout)
            if "failed" in run:
                result["failed"] = run["failed"]
            elif (run["rows"], run["columns"]) != (fact["rows"], fact["columns"]):
                result["failed"] = f"wrong shape: {run['rows']:,} rows, {run['columns']:,} columns"
            result["runs"].append(run)
            told = result.get("failed") or f"{run['seconds']:.3f} s {run['warnings']}"
            print(name, result["peer"], result["way"], told, file=sys.stderr)
    for result in results:
        if "failed" not in result:
            result["types"] = result["runs"][0]["types"]
            for figure in ("seconds", "peak"):
                result[figure] = statistics.median(run[figure] for run in result["runs"])
    return results


def print_times(name, fact, results):
    """One file's results as a Markdown table, the fastest first, each peer's figure in bold."""
    print(f"**{name}.csv**: {fact['bytes'] / 1e6:,.0f} MB, {fact['rows']:,} rows, {fact['columns']:,} columns\n")
    print("| peer | seconds | MB/s | times tablemill | peak MB | types |\n|---|--:|--:|--:|--:|---|")
    good = sorted((one for one in results if "failed" not in one), key=lambda one: one["seconds"])
    own = next((one["seconds"] for one in good if one["peer"] == "tablemill"), None)
    shown = set()
    for one in good:
        peer, way, seconds = one["peer"], one["way"], one["seconds"]
        figure = peer not in shown and (peer, way) not in EXTRA
        shown |= {peer} if figure else set()
        text = (f"**{peer}** " if figure else f"{peer} ") + way
        ratio = f"{seconds / own:.2f}" if own else "–"
        speed, peak = fact["bytes"] / seconds / 1e6, one["peak"] / 1e6
        print(f"| {text} | {seconds:.2f} | {speed:.0f} | {ratio} | {peak:,.0f} | {one['types']} |")
    for one in results:
        if "failed" in one:
            print(f"| {one['peer']} {one['way']} | failed: {one['failed']} | | | | |")
    print(flush=True)


def time_peers(given, facts):
    found = versions()
    peers = ", ".join(f"{peer} {version}" for peer, version in found.items())
    print(f"{machine()}; {peers}. Median of {given.rounds}; load {os.getloadavg()[0]:.1f} before.\n\n{NOTES}\n")
    for peer in given.peers:
        if peer not in found:
            print(f"Left out, because it is not installed: {peer}.\n")
    ways = [(peer, way) for peer in given.peers if peer in found for way in PEERS[peer]]
    ways = [way for way in ways if given.extra or way not in EXTRA]
    results = []
    for name in given.files:
        results.append(time_file(name, facts[name], ways, given))
        print_times(name, facts[name], results[-1])
    return {"versions": found, "rounds": given.rounds, "times": sum(results, [])}


def memory(folder, binary, fact):
    """Peak memory of the program on the big file, which is to be under 1 GiB."""
    print(f"**big.csv**: {fact['bytes'] / 1e9:.2f} GB, {fact['rows']:,} rows; {machine()}\n")
    print("| command | seconds | MB/s | peak MiB | under 1 GiB | rows |\n|---|--:|--:|--:|---|---|")
    results = []
    with tempfile.TemporaryDirectory(dir=folder) as name, tempfile.TemporaryFile() as output:
        big, parquet = str(folder / "big.csv"), f"{name}/big.parquet"
        count = "import sys, pyarrow.parquet as p; print(p.read_metadata(sys.argv[1]).num_rows)"
        for verb, *rest in (["convert", big, "--to", "parquet", "--out", parquet], ["inspect", "--json", big]):
            start = time.perf_counter()
            process = subprocess.Popen([binary, verb, *rest], stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
            seconds, peak = time.perf_counter() - start, usage.ru_maxrss * UNIT
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                rows = f"ended with {process.returncode}"
            elif verb == "convert":
                rows = int(subprocess.check_output([sys.executable, "-c", count, parquet]))
            else:
                output.seek(0)
                rows = json.loads(output.read())["tables"][0]["num_rows"]
            results.append({"verb": verb, "seconds": seconds, "peak": peak, "rows": rows})
            speed, right = fact["bytes"] / seconds / 1e6, "all" if rows == fact["rows"] else f"wrong: {rows}"
            figures = f"{seconds:.1f} | {speed:.0f} | {peak / (1 << 20):,.0f} | {'yes' if peak < 1 << 30 else 'no'}"
            print(f"| {verb} | {figures} | {right} |", flush=True)
    print()
    return {"memory": results}


def make_small(folder, size):
    """Files of at most `size` bytes in every shape that fits; what is not csv has the rows of newlines.csv."""
    import openpyxl
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    for name in SHAPES:
        if name != "wide" or size >= 50_000:
            make_shape(name, folder / f"{name}.csv", size * 9 // 10)
    options = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(folder / "newlines.csv", parse_options=options)
    while len(text := json.dumps(rows := table.to_pylist(), default=str)) > size:
        table = table.slice(0, table.num_rows * 9 // 10)
    (folder / "array.json").write_text(text)
    (folder / "lines.ndjson").write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
    (folder / "packed.csv.gz").write_bytes(gzip.compress((folder / "floats.csv").read_bytes(), mtime=0))
    pyarrow.parquet.write_table(table, folder / "table.parquet")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in rows[: len(rows) // 2]:
        sheet.append(list(row.values()))
    book.save(folder / "book.xlsx")


def small(calls):
    """How long `inspect` takes on small files, in one process, the files in turn."""
    import tablemill

    with tempfile.TemporaryDirectory() as name:
        files = []
        for size in (1_000, 10_000, 100_000, 1_000_000):
            folder = Path(name) / str(size)
            folder.mkdir()
            make_small(folder, size)
            files += sorted(folder.iterdir())
        sizes = [path.stat().st_size for path in files]
        valid = [tablemill.inspect(path)["is_valid"] for path in files]
        taken = [[] for _ in files]
        for _ in range(calls):
            for path, milliseconds in zip(files, taken):
                start = time.perf_counter()
                tablemill.inspect(path)
                milliseconds.append((time.perf_counter() - start) * 1000)
    p95 = lambda values: statistics.quantiles(values, n=20, method="inclusive")[-1]
    print(f"**tablemill.inspect**, {calls} calls for each file, all in one process; {machine()}\n")
    print("| file | kB | median ms | 95th percentile ms | |\n|---|--:|--:|--:|---|")
    results = []
    for path, size, good, each in zip(files, sizes, valid, taken):
        median, most = statistics.median(each), p95(each)
        results.append({"file": path.name, "bytes": size, "median_ms": median, "p95_ms": most, "valid": good})
        note = "not valid" if not good else "over 10 ms" if most >= 10 else ""
        print(f"| {path.name} | {size / 1e3:.1f} | {median:.2f} | {most:.2f} | {note} |")
    print(f"\n95th percentile of all {calls * len(files):,} calls: {p95(sum(taken, [])):.2f} ms.\n")
    return {"small": results}


def main():
    if sys.argv[1:2] == ["child"]:
        return child(*sys.argv[2:])
    parser = argparse.ArgumentParser(description="Compares tablemill with its peers.")
    option = parser.add_argument
    option("verb", nargs="?", choices=["make", "time", "memory", "small"])
    option("--requirements", action="store_true", help="print the versions that were tried, for pip")
    option("--smoke", action="store_true", help="make tiny files in a folder of their own and try everything on them")
    option("--data", type=Path, default=DATA, help="where the files are [%(default)s]")
    option("--json", type=Path, metavar="FILE", help="write the results there as well")
    option("--cores", type=int, default=2, help="run on so many cores [%(default)s]")
    option("--scale", type=float, default=1, help="make: TPC-H scale factor of lineitem [%(default)s]")
    option("--mb", type=float, default=400, help="make: millions of bytes of each other file [%(default)s]")
    option("--big-gb", type=float, default=5.2, help="make: billions of bytes of big.csv [%(default)s]")
    option("--rounds", type=int, default=5, help="time: reads of each file by each peer [%(default)s]")
    option("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="time: these only")
    option("--files", nargs="+", choices=FILES, default=FILES, help="time: these only")
    option("--timeout", type=float, default=900, help="time: seconds after which a read is given up [%(default)s]")
    option("--extra", action="store_true", help="time: also ways to read that never count")
    option("--bin", default=shutil.which("tablemill"), help="memory: the program tablemill [the one on PATH]")
    option("--calls", type=int, default=500, help="small: calls for each file [%(default)s]")
    given = parser.parse_args()

    if given.requirements:
        return print("\n".join(REQUIREMENTS.split()))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.cores])
    if given.smoke:
        tiny = tempfile.TemporaryDirectory()
        given.data, given.scale, given.mb, given.big_gb = Path(tiny.name), 0.01, 2, 0.02
        given.rounds, given.calls, given.extra = 1, 5, True
    elif not given.verb:
        return parser.print_help()
    elif given.verb == "memory" and not given.bin:
        parser.error("tablemill is not on PATH: give --bin")
    elif given.verb in ("time", "memory") and not (given.data / "facts.json").exists():
        parser.error(f"no files in {given.data}: run `make` first")
    if given.smoke or given.verb == "make":
        make(given.data, given.scale, given.mb, given.big_gb)
    facts = json.loads((given.data / "facts.json").read_text()) if given.verb != "small" else {}
    result = {"machine": machine(), "files": facts}
    if given.smoke or given.verb == "time":
        result |= time_peers(given, facts)
    if given.verb == "memory" or given.smoke and given.bin:
        result |= memory(given.data, given.bin, facts["big"])
    if given.verb == "small" or given.smoke and "tablemill" in versions():
        result |= small(given.calls)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
