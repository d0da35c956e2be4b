-- Beside the numbered tables, with a count of migrations of its own: a version that does not know
-- these tables starts on the same database, and reads and writes those that it knows.

-- Calls whose place in "calls" is taken by another call. A source that went wrong, or a node that
-- lies, may have used a (day, office, queue, epoch, no) before: what is called there later is a
-- call all the same.
CREATE TABLE calls_again (
    day     TEXT   NOT NULL,
    office  TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    epoch   BIGINT NOT NULL,
    no      BIGINT NOT NULL,
    again   BIGINT NOT NULL, -- 1, 2, 3 ... in the order of arrival
    ticket  TEXT   NOT NULL, -- empty when its day is over
    counter TEXT   NOT NULL,
    at      TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    at_s    BIGINT NOT NULL, -- as in "calls"
    -- Two hubs that bring different calls at once meet here, and one of them looks again.
    PRIMARY KEY (day, office, queue, epoch, no, again)
);
-- Finds a call by what it says, and the calls of a ticket.
CREATE INDEX calls_again_by_ticket ON calls_again (day, office, queue, ticket, epoch, no);

-- Calls of offices that told no numbers yet. They are in nothing that is published; with the
-- office's first numbers they move to "calls", without any they go.
CREATE TABLE calls_waiting (
    id      BIGINT NOT NULL PRIMARY KEY, -- drawn
    heard_s BIGINT NOT NULL, -- when it came, seconds since 1970 on the hub's clock
    day     TEXT   NOT NULL,
    office  TEXT   NOT NULL,
    queue   TEXT   NOT NULL,
    epoch   BIGINT NOT NULL,
    no      BIGINT NOT NULL,
    ticket  TEXT   NOT NULL,
    counter TEXT   NOT NULL,
    at      TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    at_s    BIGINT NOT NULL
);
CREATE INDEX calls_waiting_by_office ON calls_waiting (office);
