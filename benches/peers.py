"""The same files read into Arrow tables by tablemill and by its peers, side by side on one machine.

    python benches/peers.py --requirements > r.txt; pip install -r r.txt    the peers, and what makes the files
    python benches/peers.py make                                            the files, 3.6 GB, and 10 GB for `memory`
    python benches/peers.py time                                            seconds, MB/s and memory of each peer
    python benches/peers.py time --files orders.ndjson mixed.xlsx           the same, of these files only
    python benches/peers.py memory --bin target/release/tablemill           peak memory on the files of 5 GB
    python benches/peers.py small                                           how long `inspect` takes on small files
    python benches/peers.py --smoke                                         all of it on tiny files

csv: lineitem (TPC-H), quoted, wide, floats, newlines; orders.csv in gz, bz2, xz and zst. Columnar: lineitem as
Parquet, ORC and Arrow files. JSON: orders.ndjson (TPC-H), orders.json (the same rows as one
array) and nested.ndjson (objects, lists and rare keys). Workbooks: mixed.xlsx and tall.xlsx.

Each read has a process of its own: it imports the peer, reads a tiny file, and is timed from the call to the Arrow
table in memory. All ways of all peers in turn, then all again, `--rounds` times, the files in the system's cache. Of a
peer's ways to read, the fastest is the figure that counts. A table of a wrong shape is a failure, not a time. MB/s is
millions of bytes of the file, cells/s millions of cells of a workbook; "times tablemill" the peer's time divided by
tablemill's, "times fastest" by that of the fastest peer; peak memory the most that was resident, the library and the
pages of a mapped file included; "table MB" the Arrow table alone; "types" what the columns became.

Everything runs on `--cores` cores. Build the wheel with `maturin build --release`, or the numbers say nothing.
"""

import argparse
import gzip
import importlib.metadata
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _peers_files import BIG, FILES, SHAPES, make, make_shape, path_of
from _peers_readers import EXTRA, NOTES, PEERS, differences, kind_of, reader, size_of, types_of, ways_of, write_tiny

# Tried together on Python 3.11, the last that datatable has a wheel for; openpyxl writes the workbooks of `small`.
REQUIREMENTS = """pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.0 datafusion==55.0.0 datatable==1.1.0
fastexcel==0.21.0 tpchgen-cli==4.0.0 openpyxl==3.1.5 xlsxwriter==3.3.1 zstandard==0.25.0"""
DATA = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tablemill" / "bench"
UNIT = 1 if sys.platform == "darwin" else 1024  # of the peak memory that the system tells


def child(peer, way, path, tiny, name):
    """One read in this process. Peak memory is taken before anything else is asked."""
    kind = kind_of(path)
    read = reader(peer, way, kind, name == "newlines")
    read(tiny)
    start, cpu = time.perf_counter(), time.process_time()
    result = read(path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT

    import pyarrow

    table = result.to_arrow() if way == "(its own frame)" else pyarrow.table(result)
    types = types_of(table) + differences(table, path, name, kind)
    shape = {"rows": table.num_rows, "columns": table.num_columns, "table": size_of(table), "types": types}
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
    path = path_of(given.data, name)
    tiny = path.with_name(f"tiny{path.suffix}")
    # In a process of its own, or its memory would be counted as that of the readers, which it starts.
    subprocess.run([sys.executable, __file__, "tiny", tiny], check=True)
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
            for figure in ("seconds", "peak", "table"):
                result[figure] = statistics.median(run[figure] for run in result["runs"])
    return results


def print_times(path, fact, results):
    """One file's results as a Markdown table, the fastest first, each peer's figure in bold."""
    kind, cells = path.suffix[1:], fact["rows"] * fact["columns"]
    leaves = f", {fact['leaves']} leaves" if fact.get("leaves", 0) > fact["columns"] else ""
    size = f"{fact['bytes'] / 1e6:,.0f} MB, {fact['rows']:,} rows, {fact['columns']:,} columns{leaves}"
    rate, amount = ("million cells/s", cells) if kind == "xlsx" else ("MB/s", fact.get("plain", fact["bytes"]))
    print(f"**{path.name}**: {size}\n")
    print(f"| peer | seconds | {rate} | times tablemill | times fastest | peak MB | table MB | types |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    good = sorted((one for one in results if "failed" not in one), key=lambda one: one["seconds"])
    figures = {}
    for one in good:
        if (kind, one["peer"], one["way"]) not in EXTRA:
            figures.setdefault(one["peer"], one)
    own = figures.get("tablemill")
    fastest = next((one for peer, one in figures.items() if peer != "tablemill"), None)
    ratio = lambda one, other: f"{one['seconds'] / other['seconds']:.2f}" if other else "–"
    for one in good:
        bold = "**" if figures.get(one["peer"]) is one else ""
        text = f"{bold}{one['peer']}{bold} {one['way']}".strip()
        speed = amount / one["seconds"] / 1e6
        against = f"{ratio(one, own)} | {ratio(one, fastest)}"
        space = f"{one['peak'] / 1e6:,.0f} | {one['table'] / 1e6:,.0f}"
        shown = f"{speed:.2f}" if kind == "xlsx" else f"{speed:.0f}"
        print(f"| {text} | {one['seconds']:.2f} | {shown} | {against} | {space} | {one['types']} |")
    for one in results:
        if "failed" in one:
            print(f"| {one['peer']} {one['way']} | failed: {one['failed']} | | | | | | |")
    if own and fastest:
        peaks = f"{own['peak'] / fastest['peak']:.2f} of its peak memory"
        tables = f"{own['peak'] / own['table']:.2f} times the table's"
        print(f"\ntablemill is {ratio(fastest, own)} times as fast as {fastest['peer']}, with {peaks}, {tables}.")
    print(flush=True)


def time_peers(given, facts):
    found = versions()
    peers = ", ".join(f"{peer} {version}" for peer, version in found.items())
    print(f"{machine()}; {peers}. Median of {given.rounds}; load {os.getloadavg()[0]:.1f} before.")
    print("Bold: a peer's fastest way, its figure.\n")
    made = [name for name in given.files if name in FILES and name in facts]
    kinds = {name: kind_of(str(path_of(given.data, name))) for name in made}
    for kind, notes in NOTES.items():
        if any(kind == one or (kind, one) == ("json", "ndjson") for one in kinds.values()):
            print(notes + "\n")
    ways = {kind: ways_of(kind, given.extra) for kind in dict.fromkeys(kinds.values())}
    for told in [f"{peer}, because it is not installed" for peer in given.peers if peer not in found] + [
        *(text for _, lacks in ways.values() for text in lacks if text.split()[0] in given.peers),
        *(f"{name}, because `make` has not made it" for name in given.files if name in FILES and name not in facts),
    ]:
        print(f"Left out: {told}.\n")
    results = []
    for name in made:
        wanted = [way for way in ways[kinds[name]][0] if way[0] in given.peers and way[0] in found]
        if wanted:
            results.append(time_file(name, facts[name], wanted, given))
            print_times(path_of(given.data, name), facts[name], results[-1])
    return {"versions": found, "rounds": given.rounds, "times": sum(results, [])}


def memory(path, binary, fact):
    """Peak memory of the program on a big file, which is to be under 1 GiB."""
    print(f"**{path.name}**: {fact['bytes'] / 1e9:.2f} GB, {fact['rows']:,} rows; {machine()}\n")
    print("| command | seconds | MB/s | peak MiB | under 1 GiB | rows |\n|---|--:|--:|--:|---|---|")
    results = []
    with tempfile.TemporaryDirectory(dir=path.parent) as name, tempfile.TemporaryFile() as output:
        big, parquet = str(path), f"{name}/big.parquet"
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
            results.append({"file": path.name, "verb": verb, "seconds": seconds, "peak": peak, "rows": rows})
            speed, right = fact["bytes"] / seconds / 1e6, "all" if rows == fact["rows"] else f"wrong: {rows}"
            figures = f"{seconds:.1f} | {speed:.0f} | {peak / (1 << 20):,.0f} | {'yes' if peak < 1 << 30 else 'no'}"
            print(f"| {verb} | {figures} | {right} |", flush=True)
    print()
    return results


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
    if sys.argv[1:2] == ["tiny"]:
        return write_tiny(Path(sys.argv[2]))
    parser = argparse.ArgumentParser(description="Compares tablemill with its peers.")
    option = parser.add_argument
    option("verb", nargs="?", choices=["make", "time", "memory", "small"])
    option("--requirements", action="store_true", help="print the versions that were tried, for pip")
    option("--smoke", action="store_true", help="make tiny files in a folder of their own and try everything on them")
    option("--data", type=Path, default=DATA, help="where the files are [%(default)s]")
    option("--json", type=Path, metavar="FILE", help="write the results there as well")
    option("--cores", type=int, default=2, help="run on so many cores [%(default)s]")
    option("--scale", type=float, default=1, help="make: TPC-H scale factor of lineitem and orders [%(default)s]")
    nested = "make: millions of bytes of each other csv; nested.ndjson has 3/4 of it [%(default)s]"
    option("--mb", type=float, default=400, help=nested)
    option("--big-gb", type=float, default=5.2, help="make: billions of bytes of big.csv [%(default)s]")
    option("--big-json-gb", type=float, default=5, help="make: billions of bytes of big.ndjson [%(default)s]")
    option("--books", type=float, default=1, help="make: part of the workbooks' rows [%(default)s]")
    option("--rounds", type=int, default=5, help="time: reads of each file by each peer [%(default)s]")
    option("--peers", nargs="+", choices=PEERS, default=PEERS, help="time: these only")
    option("--files", nargs="+", choices=FILES + BIG, default=FILES + BIG, help="make, time, memory: these only")
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
        given.data, given.scale, given.mb, given.books = Path(tiny.name), 0.01, 2, 0.005
        given.big_gb = given.big_json_gb = 0.02
        given.rounds, given.calls, given.extra = 1, 5, True
    elif not given.verb:
        return parser.print_help()
    elif given.verb == "memory" and not given.bin:
        parser.error("tablemill is not on PATH: give --bin")
    elif given.verb in ("time", "memory") and not (given.data / "facts.json").exists():
        parser.error(f"no files in {given.data}: run `make` first")
    if given.smoke or given.verb == "make":
        make(given.data, given.files, given)
    facts = json.loads((given.data / "facts.json").read_text()) if given.verb != "small" else {}
    result = {"machine": machine(), "files": facts}
    if given.smoke or given.verb == "time":
        result |= time_peers(given, facts)
    if given.verb == "memory" or given.smoke and given.bin:
        big = [name for name in given.files if name in BIG and name in facts]
        peaks = [memory(path_of(given.data, name), given.bin, facts[name]) for name in big]
        result |= {"memory": sum(peaks, [])}
    if given.verb == "small" or given.smoke and "tablemill" in versions():
        result |= small(given.calls)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
