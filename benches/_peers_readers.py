"""How each peer of peers.py reads a file into Arrow memory, and what is asked of the table that comes out."""

import collections
import csv
import importlib.util
import itertools
import json

import _peers_packed

# Of each kind of file, each peer's ways to read it.
WAYS = {
    "csv": {
        "tablemill": [""],
        "pandas": ["(engine pyarrow)", "(engine c)"],
        "pyarrow": ["", "(blocks of 8 MiB)"],
        "polars": ["", "(sample)"],
        "duckdb": ["", "(sample)"],
        "datafusion": ["", "(sample)", "(sample, in order)"],
        "datatable": ["", "(its own frame)"],
    },
    "ndjson": {
        "tablemill": [""],
        "pandas": ["(engine pyarrow)", "(engine ujson)"],
        "pyarrow": ["", "(blocks of 8 MiB)"],
        "polars": ["", "(lazy)", "(sample)"],
        "duckdb": ["", "(any order)", "(sample)"],
        "datafusion": ["", "(in order)", "(sample)"],
    },
    "json": {
        "tablemill": [""],
        "pandas": ["(engine ujson)"],
        "polars": ["", "(sample)"],
        "duckdb": ["", "(any order)", "(sample)"],
        "datafusion": ["", "(sample)"],
    },
    "xlsx": {
        "tablemill": [""],
        "fastexcel": ["", "(eager)", "(sample)"],
        "polars": ["", "(sample)"],
        "pandas": ["(engine calamine)", "(engine openpyxl)"],
    },
    **_peers_packed.WAYS,
}
PEERS = list(dict.fromkeys(peer for ways in WAYS.values() for peer in ways))

# What is never a peer's figure: types from so few rows, or no Arrow table. Of JSON and workbooks, which are compared
# with the types of all rows, any sample.
EXTRA = {("csv", "polars", "(sample)"), ("csv", "datatable", "(its own frame)")}
EXTRA |= {(kind, peer, "(sample)") for kind in ("ndjson", "json", "xlsx") for peer in WAYS[kind]}
EXTRA |= _peers_packed.EXTRA

# What a way needs besides the peer.
NEEDS = {
    ("xlsx", "polars", ""): "fastexcel",
    ("xlsx", "polars", "(sample)"): "fastexcel",
    ("xlsx", "pandas", "(engine calamine)"): "python_calamine",
    ("xlsx", "pandas", "(engine openpyxl)"): "openpyxl",
}

NOTES = {
    "csv": """\
csv: "(sample)": types from the first 100 (polars), 20,480 (duckdb) or 1,000 rows (datafusion; 20 in newlines.csv)
instead of all. pandas finds no dates with engine c. Never a figure: polars with a sample, and datatable's own frame,
not yet Arrow.""",
    "json": """\
JSON: types from all rows, but for "(sample)": 100 (polars), 20,480 (duckdb), 1,000 (datafusion); never a figure.
duckdb, pyarrow and pandas with engine pyarrow look for dates in texts, which cannot be turned off. pandas with ujson
makes numbers of texts that look like them. pyarrow reads no array, nor does pandas with its engine; datafusion reads
one only in one piece. Types are those of all leaves, in structs and lists, too.""",
    "xlsx": """\
Workbooks: types from all rows, but for "(sample)": 1,000 (fastexcel), 100 (polars, the rest by fastexcel's rules).
fastexcel's integers are floats, polars makes integers and dates of its columns where they fit; pandas has neither.""",
    **_peers_packed.NOTES,
}
TINY = {
    "csv": 'a,b,c,d\n1,2.5,"x, y",2024-01-02\n2,3.5,z,2024-01-03\n',
    "ndjson": '{"a":1,"b":2.5,"c":"x"}\n{"a":2,"b":3.5,"d":{"e":[1]}}\n',
    "json": '[{"a":1,"b":2.5,"c":"x"},{"a":2,"b":3.5,"d":{"e":[1]}}]',
}


def write_tiny(path):
    """A file of two rows, read before the time is taken, so that what is done once is done."""
    kind = path.suffix[1:]
    if kind in _peers_packed.WAYS:
        return _peers_packed.write_tiny(path, TINY["csv"])
    if kind != "xlsx":
        return path.write_text(TINY[kind])
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for row in range(3):
            sheet.write_row(row, 0, ["a", "b"] if row == 0 else [row, "x"])


def kind_of(path):
    return path.rsplit(".", 1)[-1]


def ways_of(kind, extra):
    """The ways to try on a kind of file, and in words those that cannot be, for want of a package."""
    ways = [(peer, way) for peer, all in WAYS[kind].items() for way in all if extra or (kind, peer, way) not in EXTRA]
    need = lambda peer, way: NEEDS.get((kind, peer, way))
    lacks = [way for way in ways if (module := need(*way)) and not importlib.util.find_spec(module)]
    told = [f"{peer} {way} for {kind}, because {need(peer, way)} is not installed" for peer, way in lacks]
    return [way for way in ways if way not in lacks], told


def reader(peer, way, kind, newlines):
    """Imports a peer and gives a function that reads a file into Arrow memory in one of the peer's ways.

    `newlines` says that cells of a csv have line ends, which some must be told.
    """
    if peer == "tablemill":
        import tablemill

        return lambda path: tablemill.read(path).tables[0]
    if peer == "datatable":
        import datatable

        return lambda path: datatable.fread(path) if way == "(its own frame)" else datatable.fread(path).to_arrow()
    if kind in _peers_packed.WAYS and kind not in ("gz", "bz2", "xz", "zst"):
        return _peers_packed.column_reader(peer, way, kind)
    readers = dict.fromkeys(_peers_packed.WAYS, csv_reader) | {"csv": csv_reader, "ndjson": json_reader, "json": json_reader, "xlsx": book_reader}
    return readers[kind](peer, way, kind == "ndjson" if "json" in kind else newlines)


def csv_reader(peer, way, newlines):
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
        sample = 100 if way.startswith("(sample") else None
        options = {"infer_schema_length": sample, "try_parse_dates": way != "(sample, no dates)"}
        return lambda path: polars.read_csv(path, **options).to_arrow(compat_level=newest)
    if peer == "duckdb":
        import duckdb

        connection = duckdb.connect()
        if way == "(sample)":
            return lambda path: connection.sql("FROM read_csv(?)", params=[path]).to_arrow_table()
        # `sql` would look for the types twice. `execute` warns that it copies once more; it is faster all the same.
        query = "FROM read_csv(?, sample_size = -1)"
        return lambda path: connection.execute(query, [path]).to_arrow_table()
    import datafusion

    # With newlines in cells it fails as soon as it takes types from more than 8 KiB.
    rows = 10**12 if not way else 20 if newlines else 1000
    options = datafusion.CsvReadOptions(newlines_in_values=newlines, schema_infer_max_records=rows)
    config = datafusion.SessionConfig().with_repartition_file_scans("in order" not in way)
    return lambda path: datafusion.SessionContext(config).read_csv(path, options=options).to_arrow_table()


def json_reader(peer, way, lines):
    """`lines`: an object a line; else one array of all of them."""
    if peer == "pandas":
        import pandas
        import pyarrow

        options = {"engine": "ujson"} if way == "(engine ujson)" else {"engine": "pyarrow", "dtype_backend": "pyarrow"}
        read = lambda path: pandas.read_json(path, lines=lines, **options)
        return lambda path: pyarrow.Table.from_pandas(read(path), preserve_index=False)
    if peer == "pyarrow":
        from pyarrow.json import ReadOptions, read_json

        read = ReadOptions(block_size=8 << 20 if way == "(blocks of 8 MiB)" else None)
        return lambda path: read_json(path, read_options=read)
    if peer == "polars":
        import polars

        newest = polars.CompatLevel.newest()
        options = {"infer_schema_length": 100 if way == "(sample)" else None}
        if way == "(lazy)":
            return lambda path: polars.scan_ndjson(path, **options).collect().to_arrow(compat_level=newest)
        read = polars.read_ndjson if lines else polars.read_json
        return lambda path: read(path, **options).to_arrow(compat_level=newest)
    if peer == "duckdb":
        import duckdb

        connection = duckdb.connect()
        if way == "(any order)":
            connection.execute("SET preserve_insertion_order = false")
        form, sample = "newline_delimited" if lines else "array", 20_480 if way == "(sample)" else -1
        query = f"FROM read_json(?, format = '{form}', sample_size = {sample})"
        return lambda path: connection.execute(query, [path]).to_arrow_table()
    import datafusion

    rows = 1000 if way == "(sample)" else 10**9
    config = datafusion.SessionConfig().with_repartition_file_scans(lines and way != "(in order)")

    def read(path):
        context = datafusion.SessionContext(config)
        if lines:
            options = {"file_extension": ".ndjson", "schema_infer_max_records": rows}
            return context.read_json(path, **options).to_arrow_table()
        options = f"'format.newline_delimited' 'false', 'format.schema_infer_max_rec' '{rows}'"
        context.sql(f"CREATE EXTERNAL TABLE rows STORED AS JSON LOCATION '{path}' OPTIONS ({options})")
        return context.table("rows").to_arrow_table()

    return read


def book_reader(peer, way, _):
    if peer == "fastexcel":
        import fastexcel

        rows = {} if way == "(sample)" else {"schema_sample_rows": None}
        if way == "(eager)":
            return lambda path: fastexcel.read_excel(path).load_sheet_eager(0, **rows)
        return lambda path: fastexcel.read_excel(path).load_sheet(0, **rows).to_arrow()
    if peer == "polars":
        import polars

        newest = polars.CompatLevel.newest()
        options = {"engine": "calamine", "infer_schema_length": 100 if way == "(sample)" else None}
        return lambda path: polars.read_excel(path, **options).to_arrow(compat_level=newest)
    import pandas
    import pyarrow

    engine = "calamine" if way == "(engine calamine)" else "openpyxl"
    return lambda path: pyarrow.Table.from_pandas(pandas.read_excel(path, engine=engine), preserve_index=False)


# --- The table. ---

KINDS = ["integer", "floating", "decimal", "boolean", "date", "timestamp", "time", "duration", "map", "null"]


def leaf_types(type):
    """The types of all leaves of a type, inside structs and lists."""
    from pyarrow import types

    if types.is_struct(type):
        return [leaf for field in type for leaf in leaf_types(field.type)]
    if any(getattr(types, f"is_{kind}")(type) for kind in ("list", "large_list", "list_view", "fixed_size_list")):
        return leaf_types(type.value_type)
    return [type]


def types_of(table):
    """What the columns of an Arrow table are, in words; of structs and lists what is inside."""
    from pyarrow import types

    kind_of = lambda type: next((kind for kind in KINDS if getattr(types, f"is_{kind}")(type)), "text")
    counted = collections.Counter(kind_of(leaf) for type in table.schema.types for leaf in leaf_types(type))
    return ", ".join(f"{counted[kind]} {kind}" for kind in [*KINDS, "text"] if counted[kind])


def size_of(table):
    """Bytes of an Arrow table."""
    try:
        return table.nbytes
    except NotImplementedError:  # which some types are, where a part of a buffer is to be counted
        return table.get_total_buffer_size()


def first_objects(path):
    """The objects in the first bytes of a JSON file, of an array or by lines."""
    with open(path, "rb") as file:
        text = file.read(4 << 20).decode("utf-8", "ignore")
    decoder, at, objects = json.JSONDecoder(), 0, []
    while True:
        while text[at : at + 1] and text[at] in "[,\n":
            at += 1
        try:
            one, at = decoder.raw_decode(text, at)
        except ValueError:  # the end of what was read, or of the file
            return objects
        objects.append(one)


def differences(table, path, name, kind):
    """Where the table differs from the file, in words: in the rows' order, or in what floats.csv has."""
    if kind == "xlsx":
        right = map(float, itertools.count(1))
        return "" if all(map(float.__eq__, map(float, table.column(0).to_pylist()), right)) else "; rows not in order"
    if kind in ("gz", "bz2", "xz", "zst"):
        texts = _peers_packed.first_cells(path, 20_000)
        read = table.column(0).slice(0, len(texts)).to_pylist()
        return "" if list(map(str, read)) == texts else "; rows not in order"
    if kind in _peers_packed.WAYS:
        return _peers_packed.differences(table, path, kind)
    if kind != "csv":
        objects = first_objects(path)
        key = next(iter(objects[0]))
        read = table.column(key).slice(0, len(objects)).to_pylist()
        return "" if [str(one[key]) for one in objects] == list(map(str, read)) else "; rows not in order"
    with open(path, encoding="utf-8", newline="") as file:
        texts = list(itertools.islice(csv.reader(file), 1, 20_001))
    columns = [column.to_pylist() for column in table.slice(0, len(texts)).columns[: 12 if name == "floats" else 1]]
    meant = [[float(text or "nan") for text in column] for column in zip(*(row[: len(columns)] for row in texts))]
    pairs = [(a, b) for read, right in zip(columns, meant) for a, b in zip(read, right) if a is not None]
    if any(abs(a - b) > 1e-9 * abs(b) for a, b in pairs):
        return "; rows not in order"
    wrong = sum(a != b for a, b in pairs)
    return f"; {wrong / len(pairs):.2%} not the nearest double" if wrong else ""
