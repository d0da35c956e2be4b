-- The moment of a call in seconds since 1970, for what the next tables are made from; 0 in rows
-- that are older than this column.
ALTER TABLE calls ADD COLUMN at_s BIGINT NOT NULL DEFAULT 0;

-- What somebody was told who took a ticket. A row lives until its ticket is called, at most until
-- its day is over: this and calls are the only tables that ever hold a label.
CREATE TABLE told (
    day     TEXT   NOT NULL, -- business day, YYYY-MM-DD
    office  TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    ticket  TEXT   NOT NULL,
    lane    TEXT   NOT NULL, -- standard | fast
    weekday BIGINT NOT NULL, -- 0 Monday to 6 Sunday
    hour    BIGINT NOT NULL, -- 0 to 23 at the office
    at      TEXT   NOT NULL, -- when the ticket was taken, RFC 3339 with the offset of the office
    at_s    BIGINT NOT NULL, -- the same in seconds since 1970
    low     BIGINT NOT NULL, -- the range told, seconds
    high    BIGINT NOT NULL,
    PRIMARY KEY (day, office, queue, ticket)
);

-- What was told and what happened, without the label. The key is that of the call, so that a call
-- that comes twice, or at two hubs, counts once.
CREATE TABLE waits (
    day     TEXT   NOT NULL,
    office  TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    epoch   BIGINT NOT NULL,
    no      BIGINT NOT NULL,
    lane    TEXT   NOT NULL,
    weekday BIGINT NOT NULL,
    hour    BIGINT NOT NULL,
    told_at TEXT   NOT NULL,
    low     BIGINT NOT NULL,
    high    BIGINT NOT NULL,
    called_at TEXT NOT NULL,
    wait    BIGINT NOT NULL, -- from told_at to called_at, seconds
    PRIMARY KEY (day, office, queue, epoch, no)
);
CREATE INDEX waits_by_office ON waits (office, day);

-- How a queue stood, six times an hour: what a usual week is made from.
CREATE TABLE slots (
    office  TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    slot    BIGINT NOT NULL, -- ten minutes each since midnight
    lane    TEXT   NOT NULL,
    weekday BIGINT NOT NULL,
    hour    BIGINT NOT NULL,
    waiting BIGINT NOT NULL, -- people; -1 where the source shows no such number
    low     BIGINT NOT NULL, -- the range told, seconds
    high    BIGINT NOT NULL,
    PRIMARY KEY (office, day, queue, slot)
);
