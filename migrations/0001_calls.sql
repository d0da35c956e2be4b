-- Every call of every office, once. Plain types, so that SQLite and PostgreSQL read the same file.
CREATE TABLE calls (
    day     TEXT   NOT NULL, -- business day, YYYY-MM-DD
    office  TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    epoch   BIGINT NOT NULL, -- restarts of "no" within the day
    no      BIGINT NOT NULL, -- 1, 2, 3 ... through (day, epoch)
    ticket  TEXT   NOT NULL,
    counter TEXT   NOT NULL, -- empty when the source knows none
    at      TEXT   NOT NULL, -- RFC 3339 with the offset of the office
    kind    TEXT   NOT NULL, -- call | recall
    -- What makes a call one and the same (exactly once); the day first, so that a day is one range.
    PRIMARY KEY (day, office, queue, epoch, no)
);
