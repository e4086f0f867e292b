// SPDX-License-Identifier: Apache-2.0
// The schema of engine.db and its migrations. PRAGMA user_version says how many steps a database has taken.
#pragma once

#include <array>

namespace correlator::store {

// "cor1": so that `file` and a careless restore can tell the database from another.
inline constexpr int kApplicationId = 0x636f7231;

// Step i brings a database of version i to version i + 1; a step that was released is never edited.
inline constexpr std::array kEngineMigrations = {
    // 1: the first schema.
    R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE rule_set (hash TEXT PRIMARY KEY, files TEXT NOT NULL) STRICT;
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE cursor (
  stream TEXT PRIMARY KEY, identity TEXT NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL, extra TEXT NOT NULL
) STRICT;

-- What step() saw, in its order. kind: 1 line, 2 mark, 3 rules, 4 lookup, 5 command, 6 outcome, 7 probe, 8 end.
CREATE TABLE intake (
  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time INTEGER NOT NULL, stream INTEGER NOT NULL,
  line INTEGER NOT NULL, frame BLOB NOT NULL, extra TEXT NOT NULL
) STRICT;

-- The snapshot: one table for each kind of state, all alike. key is for people, body is JSON.
CREATE TABLE live_window      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_record      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_group       (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_context     (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_timer       (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_case        (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_counter     (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_engine      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_lookup      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_evidence    (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;

-- The snapshot at the beginning of the kept intake (base) and the one that will be the next beginning (next).
CREATE TABLE kept_state (
  generation INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (generation, kind, id)
) STRICT;

CREATE TABLE decision (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL, seq INTEGER NOT NULL, rule TEXT NOT NULL,
  key TEXT NOT NULL, step INTEGER NOT NULL, action TEXT NOT NULL, fate TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX decision_id ON decision (id);
CREATE INDEX decision_rule ON decision (rule, time);

CREATE VIEW windows AS
  SELECT owner.name AS rule, live_window.key, live_window.body, live_window.id
  FROM live_window JOIN owner ON owner.id = live_window.owner;
CREATE VIEW cases AS
  SELECT owner.name AS rule, live_case.key, live_case.body, live_case.id
  FROM live_case JOIN owner ON owner.id = live_case.owner;
CREATE VIEW contexts AS
  SELECT owner.name AS context, live_context.key, live_context.body
  FROM live_context JOIN owner ON owner.id = live_context.owner;
CREATE VIEW decisions AS
  SELECT strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS at, rule, key, step, action, fate,
         json_extract(document, '$.why') AS why, id
  FROM decision ORDER BY n;
CREATE VIEW evidence AS
  SELECT decision.id AS decision, decision.rule, json_extract(line.value, '$.time') AS at,
         json_extract(line.value, '$.host') AS host, json_extract(line.value, '$.text') AS text
  FROM decision, json_each(decision.document, '$.evidence') AS line;
CREATE VIEW lines AS
  SELECT seq, strftime('%Y-%m-%dT%H:%M:%SZ', time / 1000000, 'unixepoch') AS at, stream.name AS stream,
         line, CAST(frame AS TEXT) AS text
  FROM intake JOIN stream ON stream.id = intake.stream WHERE kind = 1;
)sql",

    // 2: bodies of windows are bytes (the older JSON stays readable and goes when its window changes); what a person
    // wants to see of them stands in columns: how many of what the rule counts, the oldest line kept, the newest event.
    R"sql(
DROP VIEW windows;
ALTER TABLE live_window RENAME TO live_window_1;
CREATE TABLE live_window (
  id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, have INTEGER, oldest INTEGER, newest INTEGER,
  body BLOB NOT NULL
) STRICT;
INSERT INTO live_window
  SELECT id, owner, key, json_extract(doc, '$.e[0]'), json_extract(doc, '$.e[2]'),
         nullif(coalesce(json_extract(doc, '$.n'), (SELECT sum(value) FROM json_each(doc, '$.e')
                                                    WHERE json_each.key >= 2 AND json_each.key % 2 = 0)),
                -2305843009213693952),  -- Timestamp::min(): there was no event
         CAST(body AS BLOB)
  FROM (SELECT *, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS doc FROM live_window_1);

CREATE TABLE kept_state_2 (
  generation INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
  body ANY NOT NULL, PRIMARY KEY (generation, kind, id)
) STRICT;
INSERT INTO kept_state_2 SELECT * FROM kept_state;
DROP TABLE kept_state;
ALTER TABLE kept_state_2 RENAME TO kept_state;

DROP TABLE live_window_1;
CREATE VIEW windows AS
  SELECT owner.name AS rule, live_window.key, have,
         strftime('%Y-%m-%dT%H:%M:%fZ', oldest / 1000000.0, 'unixepoch') AS oldest,
         strftime('%Y-%m-%dT%H:%M:%fZ', newest / 1000000.0, 'unixepoch') AS newest, live_window.id
  FROM live_window JOIN owner ON owner.id = live_window.owner;

-- So that a start need not add up a million rows.
INSERT INTO meta SELECT 'intake_bytes', CAST(coalesce(sum(length(frame) + 40), 0) AS TEXT) FROM intake;
)sql",

    // 3: live running. The identity that a line came under; what was put into the templates of an action's arguments; notes
    // of the running process for `status`.
    R"sql(
ALTER TABLE intake ADD COLUMN line_id TEXT;
ALTER TABLE decision ADD COLUMN arguments TEXT NOT NULL DEFAULT '';
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
-- Which database this is: positions of readers hold for it alone.
INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))));
)sql",

    // 4: intake records that come many at a time share a row; intake_block.h says what stands in it. What a line says as evidence
    // stands in the intake and is carried over to live_evidence when the intake is trimmed: up to evidence_seq it was.
    R"sql(
CREATE TABLE intake_block (
  first INTEGER PRIMARY KEY, last INTEGER NOT NULL, time INTEGER NOT NULL, records TEXT NOT NULL, bytes BLOB NOT NULL
) STRICT;
INSERT INTO meta SELECT 'evidence_seq', value FROM meta WHERE name = 'snapshot_seq';
DROP VIEW lines;
CREATE VIEW lines AS
  SELECT seq, strftime('%Y-%m-%dT%H:%M:%SZ', record.time / 1000000, 'unixepoch') AS at, stream.name AS stream,
         line, CAST(frame AS TEXT) AS text
  FROM (SELECT seq, kind, time, stream, line, frame FROM intake
        UNION ALL
        SELECT first + item.key, json_extract(item.value, '$[0]'), time + coalesce(json_extract(item.value, '$[1]'), 0),
               json_extract(item.value, '$[2]'), coalesce(json_extract(item.value, '$[3]'), 0),
               substr(bytes, 1 + json_extract(item.value, '$[4]'), json_extract(item.value, '$[5]'))
        FROM intake_block, json_each(records) AS item) AS record
       LEFT JOIN stream ON stream.id = record.stream
  WHERE kind = 1;
)sql",
};

}  // namespace correlator::store
