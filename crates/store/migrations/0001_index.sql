-- An index only: every row can be made again from sessions/*/session.json and grants.json.

CREATE TABLE session (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    agent       TEXT NOT NULL,
    backend     TEXT NOT NULL,
    mode        TEXT NOT NULL,
    repository  TEXT NOT NULL,
    state       TEXT NOT NULL,
    created_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_name ON session (name);

CREATE TABLE repository (
    path     TEXT PRIMARY KEY,
    used_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE always_allowed (
    repository  TEXT NOT NULL,
    host        TEXT NOT NULL,
    port        INTEGER NOT NULL,
    PRIMARY KEY (repository, host, port)
) STRICT, WITHOUT ROWID;
