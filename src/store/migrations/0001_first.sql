-- Times are microseconds since 1970 in UTC; JSON is text; a blob is a name in the folder `blobs`.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT NOT NULL UNIQUE,
    name          TEXT NOT NULL,
    email         TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE members (
    organisation TEXT NOT NULL,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (organisation, user_id)
) WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id);

-- Only digests of secrets are kept.
CREATE TABLE tokens (
    digest     TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE personal_keys (
    id         TEXT PRIMARY KEY,
    digest     TEXT NOT NULL,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE files (
    id               TEXT PRIMARY KEY,
    author           INTEGER NOT NULL REFERENCES users (id),
    organisation     TEXT,
    name             TEXT NOT NULL,
    description      TEXT NOT NULL,
    file_type        TEXT NOT NULL,
    file_compression TEXT NOT NULL,
    parser_options   TEXT NOT NULL,
    sql_transforms   TEXT NOT NULL,
    agent_name       TEXT NOT NULL,
    agent_version    TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    upload           TEXT NOT NULL,
    is_valid         INTEGER NOT NULL,
    errors           TEXT NOT NULL,
    warnings         TEXT NOT NULL,
    detected         TEXT NOT NULL,
    tables           TEXT NOT NULL
);

CREATE INDEX files_by_author ON files (author, created_at, id);
CREATE INDEX files_by_organisation ON files (organisation, created_at, id);

CREATE TABLE datasets (
    id           TEXT PRIMARY KEY,
    author       INTEGER NOT NULL REFERENCES users (id),
    organisation TEXT,
    body         TEXT NOT NULL,
    views        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
);

CREATE INDEX datasets_by_author ON datasets (author, created_at, id);

-- Who needs a blob: a file's bytes and tables, the tables a dataset was made of. A blob that nobody
-- needs any more is deleted.
CREATE TABLE blob_references (
    blob  TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (blob, owner)
) WITHOUT ROWID;

CREATE INDEX blob_references_by_owner ON blob_references (owner);
