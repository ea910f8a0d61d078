"""The unmodified PyPI client graphistry 0.61.2 against the real server.

Acceptance lines A1 to A4, A8 and A10 to A14 of section 13 of the v2 contract. The binary is that of
TABLEMILL_BIN; each server works in a fresh folder and listens on a free port.
"""

import io
import json
import os
import re
import subprocess
import urllib.error
import urllib.request

import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pytest

for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = "*"

import graphistry  # noqa: E402
from graphistry.ArrowFileUploader import ArrowFileUploader  # noqa: E402
from graphistry.arrow_uploader import ArrowUploader  # noqa: E402

USERNAME, PASSWORD = "admin", "tuna fish"


class Server:
    """A server process, and a few plain requests to it."""

    def __init__(self, folder, *options):
        environment = {**os.environ, "TABLEMILL_ADMIN_PASSWORD": PASSWORD}
        command = [os.environ["TABLEMILL_BIN"], "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, "--data", str(folder), *options],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"listening on http://(127\.0\.0\.1:\d+)", line):
                self.host = found[1]
                break
        else:
            pytest.fail("the server did not start: " + "".join(said))
        self.url = f"http://{self.host}"
        self.token = None
        login = {"username": USERNAME, "password": PASSWORD}
        self.token = self.call("POST", "/api-token-auth/", login)["token"]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.process.stderr.close()

    def request(self, method, path, data=None):
        request = urllib.request.Request(self.url + path, data, method=method)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        status, answer = self.request(method, path, data)
        assert status < 300, answer
        return json.loads(answer)

    def upload(self, file_id, data):
        status, answer = self.request("POST", f"/api/v2/upload/files/{file_id}", data)
        assert status == 200, answer
        return json.loads(answer)

    def file(self, file_id):
        return self.call("GET", f"/api/v2/files/{file_id}")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


@pytest.fixture
def wire(monkeypatch):
    """What the client sends, in order: method and path."""
    import requests

    sent = []
    original = requests.Session.request

    def request(self, method, url, *args, **kwargs):
        answer = original(self, method, url, *args, **kwargs)
        prepared = answer.request
        sent.append((prepared.method, prepared.path_url, answer))
        return answer

    monkeypatch.setattr(requests.Session, "request", request)
    return sent


def calls(wire):
    return [f"{method} {re.sub('[0-9a-f]{32}', '<id>', path)}" for method, path, _ in wire]


def register(server, password=PASSWORD):
    graphistry.register(
        api=3, protocol="http", server=server.host, username=USERNAME, password=password
    )


def frame(seed):
    """A frame of its own for each test: the client remembers uploads by their content."""
    return pd.DataFrame({"s": [f"a{seed}", "b", "c"], "d": ["b", "c", "a"], "v": [1, 2, 3]})


def create_and_post(server, seed, **options):
    register(server)
    arrow_uploader = ArrowUploader(server_base_path=server.url, token=graphistry.api_token())
    table = pa.Table.from_pandas(frame(seed), preserve_index=False)
    return ArrowFileUploader(arrow_uploader).create_and_post_file(table, memoize=False, **options)


REFRESH = "POST /api/v2/auth/token/refresh"
CREATE = "POST /api/v2/files/"
UPLOAD = "POST /api/v2/upload/files/<id>?erase=true"
DATASET = "POST /api/v2/upload/datasets/"


def test_a1_register(server, wire):
    register(server)
    assert calls(wire) == ["POST /api-token-auth/", REFRESH]


def test_a2_wrong_password(server):
    with pytest.raises(Exception) as caught:
        register(server, "wrong")
    assert "400" in str(caught.value)
    assert "Unable to log in with provided credentials." in str(caught.value)


def test_a3_and_a4_plot_twice(server, wire):
    register(server)
    wire.clear()
    edges = graphistry.edges(frame("a3"), "s", "d")
    url = edges.plot(as_files=True, render=False)
    assert calls(wire) == [REFRESH, CREATE, UPLOAD, DATASET]
    dataset_id = re.search(r"dataset=([0-9a-f]{32})", url)[1]
    file_id = wire[1][2].json()["file_id"]
    uploaded = len(wire[2][2].request.body)
    record = server.file(file_id)
    assert record["is_uploaded"] is True and record["is_valid"] is True
    assert record["errors"] == {}
    (table,) = record["tables_schemas"]
    assert table["name"] == "Untitled 0"
    assert list(table["dtypes"].items()) == [("s", "object"), ("d", "object"), ("v", "int64")]
    assert table["num_rows"] == 3
    assert record["agent_name"] == "pygraphistry"
    assert record["bytes_count"] == uploaded
    wire.clear()
    again = edges.plot(as_files=True, render=False)
    assert calls(wire) == [REFRESH, DATASET]
    assert json.loads(wire[1][2].request.body)["edge_files"] == [file_id]
    assert re.search(r"dataset=([0-9a-f]{32})", again)[1] != dataset_id


def test_a8_a_binding_to_no_column(server):
    register(server)
    with pytest.raises(Exception) as caught:
        graphistry.edges(frame("a8"), "zz", "d").plot(as_files=True, render=False)
    text = str(caught.value)
    assert "Invalid edges bindings" in text
    assert "zz" in text and "s, d, v" in text


def test_a10_erased(server, wire):
    with pytest.raises(RuntimeError) as caught:
        create_and_post(server, "a10", file_opts={"file_type": "csv"})
    message, errors = caught.value.args
    assert message.startswith("Erased uploaded")
    assert errors["detect"][0]["code"] == "type_mismatch"
    file_id = next(a.json()["file_id"] for m, p, a in wire if p == "/api/v2/files/")
    record = server.file(file_id)
    assert record["is_uploaded"] is False and record["bytes_count"] == 0
    assert server.request("GET", f"/api/v2/files/{file_id}/data")[0] == 404
    good = server.upload(file_id, b"a,b\n1,2\n")
    assert good["file_id"] == file_id and good["is_valid"] is True


def test_a11_kept(server, wire):
    with pytest.raises(RuntimeError) as caught:
        create_and_post(
            server, "a11", file_opts={"file_type": "csv"}, upload_url_opts="erase=false"
        )
    assert caught.value.args[0].startswith("Uploaded file contents")
    file_id = next(a.json()["file_id"] for m, p, a in wire if p == "/api/v2/files/")
    body = next(a.request.body for m, p, a in wire if "/upload/files/" in p)
    record = server.file(file_id)
    assert record["is_uploaded"] is True and record["is_valid"] is False
    assert server.request("GET", f"/api/v2/files/{file_id}/data") == (200, bytes(body))
    record = server.call("PATCH", f"/api/v2/files/{file_id}", {"file_type": "arrow"})
    assert record["is_valid"] is True
    assert [table["name"] for table in record["tables_schemas"]] == ["Untitled 0"]


def test_a12_sql(server):
    sql = [
        "SELECT s, count(*) AS n FROM data GROUP BY s",
        {"sql": "SELECT s FROM data", "name": "ids"},
    ]
    file_id, answer = create_and_post(server, "a12", file_opts={"sql_transforms": sql})
    tables = {t["name"]: list(t["dtypes"]) for t in answer["tables_schemas"]}
    assert tables == {"Untitled 0": ["s", "n"], "ids": ["s"]}
    path = f"/api/v2/files/{file_id}/tables/ids"
    status, arrow = server.request("GET", f"{path}?format=arrow")
    assert status == 200
    rows = pa.ipc.open_file(io.BytesIO(arrow)).read_all().to_pylist()
    assert rows == server.call("GET", f"{path}?format=json")
    assert sorted(row["s"] for row in rows) == ["aa12", "b", "c"]


def test_a13_refused_sql(server, wire):
    with pytest.raises(RuntimeError) as caught:
        create_and_post(
            server,
            "a13",
            file_opts={"sql_transforms": "DROP TABLE data"},
            upload_url_opts="erase=false",
        )
    assert caught.value.args[1]["transform"][0]["code"] in ("not_one_query", "forbidden")
    file_id = next(a.json()["file_id"] for m, p, a in wire if p == "/api/v2/files/")
    record = server.call("PATCH", f"/api/v2/files/{file_id}", {"sql_transforms": None})
    assert record["is_valid"] is True


def test_a14_too_many_columns(tmp_path, wire):
    server = Server(tmp_path, "--max-columns", "2")
    try:
        register(server)
        edges = graphistry.edges(frame("a14"), "s", "d")
        for options, message, query in [
            ({}, "Erased uploaded", "erase=true"),
            ({"erase_files_on_fail": False}, "Uploaded file contents", "erase=false"),
        ]:
            wire.clear()
            with pytest.raises(RuntimeError) as caught:
                edges.plot(as_files=True, render=False, **options)
            assert caught.value.args[0].startswith(message)
            assert caught.value.args[1]["limits"][0]["code"] == "too_many_columns"
            assert f"POST /api/v2/upload/files/<id>?{query}" in calls(wire)
    finally:
        server.stop()
