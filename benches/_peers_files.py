"""The csv and JSON files of peers.py: the same bytes every time; rows are drawn from pools, which is quick to write."""

import csv
import itertools
import json
import random
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import _peers_books
import _peers_packed

FILES = ["lineitem", "quoted", "wide", "floats", "newlines", "orders.ndjson", "orders.json", "nested.ndjson"]
FILES += _peers_books.BOOKS + _peers_packed.PACKED
BIG = ["big", "big.ndjson"]  # of `memory`

POOL = 50_000
WIDE_PARTS, WIDE_COLUMNS = 20, 50
SYLLABLES = "ba co di fu ga he ki lo mu na pe qui ra so ti va wen xa yo zé".split()


def path_of(folder, name):
    """Where a file is; those without a suffix in their name are csv."""
    return folder / (name if "." in name else f"{name}.csv")


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
    return {"rows": rows, "columns": len(columns)}


def tpch(folder, table, scale):
    """Writes a table of TPC-H as csv; gives its path."""
    tool = Path(sys.executable).parent / "tpchgen-cli"
    options = ["--scale-factor", str(scale), "--tables", table, "--output-dir", str(folder)]
    subprocess.run([tool, "csv", *options, "--overwrite", "--quiet"], check=True)
    return folder / f"{table}.csv"


def make_lineitem(folder, scale):
    with open(tpch(folder, "lineitem", scale), "rb") as file:
        rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1
    return {"rows": rows, "columns": 16}


# --- JSON, as JSON.stringify writes it: no blanks, a float without a fraction like an integer. ---

ORDERS_NUMBERS = {"o_orderkey", "o_custkey", "o_totalprice", "o_shippriority"}


def orders_objects(folder, scale):
    """Each row of TPC-H's orders as an object; numbers as the csv has them, everything else as text."""
    path = tpch(folder, "orders", scale)
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        cells = [f'"{name}":%s' if name in ORDERS_NUMBERS else f'"{name}":"%s"' for name in header]
        pattern = "{" + ",".join(cells) + "}"
        for row in rows:
            # No text of TPC-H has anything to escape; a row that had would not be that of another TPC-H.
            if any('"' in cell or "\\" in cell for cell in row):
                raise ValueError(f"a row of orders has a quote or a backslash: {row}")
            yield pattern % tuple(row)
    path.unlink()


def make_orders(folder, scale, names):
    """Writes orders.ndjson and orders.json, the same rows: one a line, and all in one array on one line."""
    with open(folder / "orders.ndjson", "w", encoding="utf-8", newline="") as lines:
        with open(folder / "orders.json", "w", encoding="utf-8", newline="") as array:
            start, rows = "[", 0
            for text in orders_objects(folder, scale):
                lines.write(text + "\n")
                array.write(start + text)
                start, rows = ",", rows + 1
            array.write("]")
    for name in {"orders.ndjson", "orders.json"} - set(names):
        (folder / name).unlink()
    return {name: {"rows": rows, "columns": 9, "leaves": 9} for name in names}


# What is to be escaped, or is beyond ASCII.
ODD = ['"%s"', "%s\n\n%s", "C:\\%s\\%s", "%s – %s", "%s\t%s", "naïve %s", "%s 東京 %s", "%s 🚀", "</%s>"]


def prose(rng, least, most):
    """Some words; in one of four cases with what is to be escaped, or beyond ASCII."""
    if rng.random() > 0.25:
        return words(rng, least, most)
    odd = rng.choice(ODD)
    return odd % tuple(words(rng, least, most) for _ in range(odd.count("%s")))


def number(rng, value):
    """A float, without its fraction where that is zero."""
    return int(value) if value == int(value) else value


def moment(rng):
    return f"{day(rng)}T{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}Z"


def user(rng):
    login = words(rng, 1, 1) + str(rng.randrange(1000))
    return {"login": login, "id": rng.randrange(10**8), "site_admin": rng.random() < 0.02}


def nested_object(rng):
    """An event, 3 objects deep, of which most keys are in a part of the rows only."""
    maybe = lambda share, make: make() if rng.random() < share else ...
    some = lambda most, make: [make() for _ in range(rng.randint(0, most))]
    login, name = words(rng, 1, 1), words(rng, 1, 1)
    commit = lambda: {
        "sha": f"{rng.getrandbits(160):040x}",
        "message": prose(rng, 2, 12),
        "distinct": rng.random() < 0.9,
        "author": {"name": prose(rng, 1, 2), "email": f"{words(rng, 1, 1)}@example.org"},
    }
    issue = lambda: {
        "number": rng.randrange(1, 50_000),
        "title": prose(rng, 2, 8),
        "body": prose(rng, 5, 60) if rng.random() < 0.8 else None,
        "labels": some(3, lambda: {"name": words(rng, 1, 1), "color": f"{rng.getrandbits(24):06x}"}),
        "user": user(rng),
        "locked": rng.random() < 0.05,
    }
    release = lambda: {"tag": f"v{rng.randrange(9)}.{rng.randrange(20)}", "draft": False, "notes": prose(rng, 10, 40)}
    event = {
        "type": rng.choice(["PushEvent", "PushEvent", "IssuesEvent", "WatchEvent", "ForkEvent", "ReleaseEvent"]),
        "public": rng.random() < 0.97,
        "created_at": moment(rng),
        "actor": user(rng) | {"url": f"https://api.example.org/users/{login}"},
        "repo": {
            "id": rng.randrange(10**9),
            "name": f"{login}/{name}",
            "topics": some(4, lambda: words(rng, 1, 1)),
            "owner": {"name": prose(rng, 1, 2), "plan": {"seats": rng.randrange(200), "paid": rng.random() < 0.3}},
        },
        "payload": {
            "push_id": maybe(0.5, lambda: rng.randrange(10**11)),
            "ref": maybe(0.6, lambda: f"refs/heads/{words(rng, 1, 1)}"),
            "commits": maybe(0.45, lambda: some(4, commit)),
            "action": maybe(0.3, lambda: rng.choice(["opened", "closed", "started"])),
            "issue": maybe(0.15, issue),
            "release": maybe(0.02, release),
            "forkee": maybe(0.01, lambda: {"id": rng.randrange(10**9), "stars": rng.randrange(10**5)}),
        },
        "metrics": {
            "latency": number(rng, round(rng.expovariate(0.01), 3)),
            "score": number(rng, rng.choice([0.0, 1.0, rng.random()])),
            "sizes": some(6, lambda: rng.randrange(10**6)),
            "weights": maybe(0.2, lambda: some(5, lambda: round(rng.gauss(0, 1), 6))),
        },
        "org": maybe(0.25, lambda: {"id": rng.randrange(10**7), "login": words(rng, 1, 1)}),
        "place": maybe(0.08, lambda: {"lat": rng.uniform(-90, 90), "lon": rng.uniform(-180, 180)}),
        "retries": maybe(0.05, lambda: rng.randrange(9)),
        "note": maybe(0.01, lambda: prose(rng, 2, 6)),
    }
    drop = lambda object: {key: value for key, value in object.items() if value is not ...}
    return drop(event | {part: drop(event[part]) for part in ("payload", "metrics")})


def leaves(values):
    """How many values there can be under a key, of all the objects and lists given, taken together."""
    while any(isinstance(value, list) for value in values):
        values = [one for value in values for one in (value if isinstance(value, list) else [value])]
    objects = [value for value in values if isinstance(value, dict)]
    keys = {key for object in objects for key in object}
    return sum(leaves([object[key] for object in objects if key in object]) for key in keys) if objects else 1


def make_nested(path, size):
    """Writes nested.ndjson of about `size` bytes; gives what is to be found in it."""
    rng = random.Random(path.name)
    objects = [nested_object(rng) for _ in range(min(POOL, size // 2000) + 500)]
    write = lambda one, ascii: json.dumps(one, ensure_ascii=ascii, separators=(",", ":"))
    pool = [write(one, rng.random() < 0.2).removeprefix("{") + "\n" for one in objects]
    rows = written = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        while written < size:
            id = str(38_000_000_000 + 17 * rows)
            written += file.write(f'{{"id":"{id}",{rng.choice(pool)}')
            rows += 1
    return {"rows": rows, "columns": 1 + len(set().union(*objects)), "leaves": 1 + leaves(objects)}


# --- The files of `memory`, and all of them. ---


def make_big(path, part, fact, size):
    """Writes the rows of a file as often as `size` bytes take; gives what is to be found in it."""
    times = 0
    with open(path, "wb") as big, open(part, "rb") as file:
        if part.suffix == ".csv":
            big.write(file.readline())
        body = file.tell()
        while times == 0 or big.tell() < size:
            file.seek(body)
            shutil.copyfileobj(file, big, 1 << 20)
            times += 1
    return fact | {"rows": fact["rows"] * times}


def make(folder, names, given):
    """Makes the files named, and facts.json, which says what is to be found in them and in those made before."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "facts.json"
    facts = json.loads(told.read_text()) if told.exists() else {}

    def put(name, fact):
        path = path_of(folder, name)
        facts[name] = fact | {"bytes": path.stat().st_size}
        told.write_text(json.dumps(facts, indent=2) + "\n")
        size = f"{facts[name]['bytes'] / 1e6:,.1f} MB"
        print(f"{path.name}: {size}, {fact['rows']:,} rows, {fact['columns']:,} columns", flush=True)

    for name in names:
        if name in SHAPES:
            put(name, make_shape(name, path_of(folder, name), int(given.mb * 1e6)))
        elif name in _peers_books.BOOKS:
            put(name, _peers_books.make(name, folder / name, given.books))
    if "lineitem" in names:
        put("lineitem", make_lineitem(folder, given.scale))
    if orders := [name for name in names if name in ("orders.ndjson", "orders.json")]:
        for name, fact in make_orders(folder, given.scale, orders).items():
            put(name, fact)
    if "nested.ndjson" in names:
        put("nested.ndjson", make_nested(folder / "nested.ndjson", int(given.mb * 0.75e6)))
    for name in (name for name in names if name in _peers_packed.PACKED):
        put(name, _peers_packed.make(name, folder, given.scale, tpch))
    for name, part, size in (("big", "lineitem", given.big_gb), ("big.ndjson", "orders.ndjson", given.big_json_gb)):
        if name in names:
            if part not in facts:
                raise SystemExit(f"{name} has the rows of {part}: make that, too")
            put(name, make_big(path_of(folder, name), path_of(folder, part), facts[part], size * 1e9))
    print()
