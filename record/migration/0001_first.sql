-- The first schema. Words are PostgreSQL's; migrate.go replaces the few that
-- SQLite has others for, and uncovers WITHOUT ROWID, which keeps small rows in
-- their key's tree there. Times are UTC microseconds since 1970, 0 where there
-- is none. Amounts are whole sats, dollars, half-dollar ticks or thousandths of
-- a percent, as the root package has them. Ids are text.

CREATE TABLE schema_version (
    version BIGINT PRIMARY KEY,
    name    TEXT   NOT NULL,
    at      BIGINT NOT NULL
);

CREATE TABLE "user" (
    id         TEXT   PRIMARY KEY,
    owner      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- vigia.LocalOwner: owns everything until people can sign up.
INSERT INTO "user" (id, owner, name, created_at)
VALUES ('01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000001', 'local', 0);

CREATE TABLE account (
    id                TEXT   PRIMARY KEY,
    owner             TEXT   NOT NULL REFERENCES "user" (id),
    label             TEXT   NOT NULL,
    network           TEXT   NOT NULL,
    scopes            JSONB  NOT NULL,
    status            TEXT   NOT NULL,
    detail            TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    proved_at         BIGINT NOT NULL,
    sealed_key        BYTEA  NOT NULL,
    sealed_secret     BYTEA  NOT NULL,
    sealed_passphrase BYTEA  NOT NULL,
    UNIQUE (owner, label)
);

CREATE TABLE automation (
    id             TEXT   PRIMARY KEY,
    owner          TEXT   NOT NULL REFERENCES "user" (id),
    account        TEXT   NOT NULL REFERENCES account (id),
    name           TEXT   NOT NULL,
    kind           TEXT   NOT NULL,
    mode           TEXT   NOT NULL,
    scope          JSONB  NOT NULL,
    config_version BIGINT NOT NULL,
    config         JSONB  NOT NULL,
    limits         JSONB  NOT NULL,
    armed_at       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    version        BIGINT NOT NULL
);
CREATE INDEX automation_account ON automation (account, id);
CREATE INDEX automation_owner ON automation (owner, id);

-- What a rule remembers about one subject. No foreign key: a settlement must
-- not fail because its rule was deleted meanwhile.
CREATE TABLE automation_state (
    automation TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    owner      TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    state      JSONB  NOT NULL,
    saved_at   BIGINT NOT NULL,
    PRIMARY KEY (automation, subject)
) /* WITHOUT ROWID */;
CREATE INDEX automation_state_account ON automation_state (account);

-- Kept when action or reason changed for an automation and subject.
CREATE TABLE decision (
    id         TEXT   PRIMARY KEY,
    owner      TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    automation TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    action     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    decision   JSONB  NOT NULL
);
CREATE INDEX decision_subject ON decision (account, automation, subject, at);
CREATE INDEX decision_owner ON decision (owner, id);
CREATE INDEX decision_account ON decision (account, id);

CREATE TABLE execution (
    id          TEXT    PRIMARY KEY,
    owner       TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    automation  TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    lane        TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    step        BIGINT  NOT NULL,
    amount      BIGINT  NOT NULL,
    cost        BIGINT  NOT NULL,
    stop        BIGINT  NOT NULL,
    last        BIGINT  NOT NULL,
    partial     BOOLEAN NOT NULL,
    command     TEXT    NOT NULL,
    replaces    TEXT    NOT NULL,
    before      JSONB   NOT NULL,
    after       JSONB   NOT NULL,
    signature   TEXT    NOT NULL,
    tick_at     BIGINT  NOT NULL,
    created_at  BIGINT  NOT NULL,
    signed_at   BIGINT  NOT NULL,
    sent_at     BIGINT  NOT NULL,
    answered_at BIGINT  NOT NULL,
    settled_at  BIGINT  NOT NULL,
    class       TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    raw         BYTEA,
    shard       BIGINT  NOT NULL,
    epoch       BIGINT  NOT NULL,
    may_repeat  BOOLEAN NOT NULL
);
CREATE INDEX execution_owner ON execution (owner, id);
CREATE INDEX execution_account ON execution (account, id);
CREATE INDEX execution_unsettled ON execution (account, id) WHERE state IN ('requested', 'intent', 'unknown');
-- One request, one execution.
CREATE UNIQUE INDEX execution_signature ON execution (account, signature) WHERE signature <> '';

-- The right to have one unsettled call of a lane on a subject. Never
-- partitioned: the primary key is what makes two sends of one act impossible.
CREATE TABLE claim (
    account   TEXT NOT NULL,
    subject   TEXT NOT NULL,
    lane      TEXT NOT NULL,
    owner     TEXT NOT NULL,
    execution TEXT NOT NULL REFERENCES execution (id),
    PRIMARY KEY (account, subject, lane)
) /* WITHOUT ROWID */;

-- Sats and action counts held for an execution. by_hand counts against no limit.
CREATE TABLE reserve (
    execution  TEXT    PRIMARY KEY REFERENCES execution (id),
    owner      TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    cost       BIGINT  NOT NULL,
    counts     BOOLEAN NOT NULL,
    by_hand    BOOLEAN NOT NULL,
    at         BIGINT  NOT NULL,
    settled_at BIGINT  NOT NULL
) /* WITHOUT ROWID */;
CREATE INDEX reserve_account ON reserve (account, at);
CREATE INDEX reserve_subject ON reserve (account, subject);
CREATE INDEX reserve_held ON reserve (account) WHERE state = 'held';

-- One row per process: what status, doctor and the proof of life read.
CREATE TABLE guard_status (
    process TEXT   PRIMARY KEY,
    owner   TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    status  JSONB  NOT NULL
) /* WITHOUT ROWID */;

-- The last look at an account and at each of its running trades.
CREATE TABLE account_seen (
    account      TEXT   PRIMARY KEY,
    owner        TEXT   NOT NULL,
    free         BIGINT NOT NULL,
    free_begun   BIGINT NOT NULL,
    trades_begun BIGINT NOT NULL,
    cross_seen   JSONB  NOT NULL,
    cross_begun  BIGINT NOT NULL,
    fee_tier     BIGINT NOT NULL
) /* WITHOUT ROWID */;

CREATE TABLE trade_seen (
    account TEXT   NOT NULL,
    trade   TEXT   NOT NULL,
    owner   TEXT   NOT NULL,
    place   BIGINT NOT NULL,
    begun   BIGINT NOT NULL,
    seen    JSONB  NOT NULL,
    PRIMARY KEY (account, trade)
);

-- The chains. canonical and hash are the proof; payload and salt lie beside and
-- may be deleted.
CREATE TABLE journal (
    chain     TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    owner     TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    kind      TEXT   NOT NULL,
    canonical BYTEA  NOT NULL,
    hash      BYTEA  NOT NULL,
    payload   BYTEA,
    salt      BYTEA,
    PRIMARY KEY (chain, seq)
);

-- The end of each chain: updating the row is what serialises appending.
CREATE TABLE journal_head (
    chain TEXT   PRIMARY KEY,
    owner TEXT   NOT NULL,
    seq   BIGINT NOT NULL,
    hash  BYTEA  NOT NULL
) /* WITHOUT ROWID */;

CREATE TABLE checkpoint (
    chain     TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    owner     TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    hash      BYTEA  NOT NULL,
    key       BYTEA  NOT NULL,
    signature BYTEA  NOT NULL,
    PRIMARY KEY (chain, seq)
);

-- Events, committed with the fact they tell of. position is given later by one
-- drainer: ids commit out of order, positions do not.
CREATE TABLE outbox (
    id       TEXT   PRIMARY KEY,
    owner    TEXT   NOT NULL,
    account  TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    position BIGINT NOT NULL,
    event    JSONB  NOT NULL
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE position = 0;
CREATE UNIQUE INDEX outbox_position ON outbox (position) WHERE position > 0;

CREATE TABLE outbox_head (
    name     TEXT   PRIMARY KEY,
    owner    TEXT   NOT NULL,
    position BIGINT NOT NULL
) /* WITHOUT ROWID */;
INSERT INTO outbox_head (name, owner, position) VALUES ('outbox', '01900000-0000-7000-8000-000000000001', 0);

CREATE TABLE outbox_delivered (
    consumer TEXT   PRIMARY KEY,
    owner    TEXT   NOT NULL,
    position BIGINT NOT NULL
) /* WITHOUT ROWID */;

CREATE TABLE setting (
    owner TEXT   NOT NULL,
    name  TEXT   NOT NULL,
    value JSONB  NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (owner, name)
) /* WITHOUT ROWID */;

-- Moves whenever accounts, automations or stop modes change: what the guard
-- looks at to know that it must read them again.
CREATE TABLE revision (
    name     TEXT   PRIMARY KEY,
    owner    TEXT   NOT NULL,
    revision BIGINT NOT NULL
) /* WITHOUT ROWID */;
INSERT INTO revision (name, owner, revision) VALUES ('guarded', '01900000-0000-7000-8000-000000000001', 1);

-- Who guards a shard of accounts. The epoch fences every intent; the beats lie
-- in another table, so that a beat never waits for an intent.
CREATE TABLE lease (
    shard    BIGINT PRIMARY KEY,
    owner    TEXT   NOT NULL,
    holder   TEXT   NOT NULL,
    epoch    BIGINT NOT NULL,
    taken_at BIGINT NOT NULL
) /* WITHOUT ROWID */;

CREATE TABLE lease_beat (
    shard  BIGINT PRIMARY KEY,
    owner  TEXT   NOT NULL,
    holder TEXT   NOT NULL,
    epoch  BIGINT NOT NULL,
    beat   BIGINT NOT NULL,
    at     BIGINT NOT NULL
) /* WITHOUT ROWID */;
CREATE INDEX lease_beat_holder ON lease_beat (holder);

INSERT INTO lease (shard, owner, holder, epoch, taken_at)
WITH RECURSIVE every (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM every WHERE shard < 63)
SELECT shard, '01900000-0000-7000-8000-000000000001', '', 0, 0 FROM every;

INSERT INTO lease_beat (shard, owner, holder, epoch, beat, at)
SELECT shard, owner, '', 0, 0, 0 FROM lease;
