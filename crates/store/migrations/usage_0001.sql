-- What was used, by day (UTC), account and model, and what each service said last of its plan.

CREATE TABLE used (
    day               TEXT NOT NULL,
    account           TEXT NOT NULL,
    model             TEXT NOT NULL,
    requests          INTEGER NOT NULL,
    input             INTEGER NOT NULL,
    output            INTEGER NOT NULL,
    cache_read        INTEGER NOT NULL,
    cache_write       INTEGER NOT NULL,
    cache_write_hour  INTEGER NOT NULL,
    reasoning         INTEGER NOT NULL,
    PRIMARY KEY (day, account, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
    account  TEXT PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    limits   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
