-- SPDX-License-Identifier: Apache-2.0
-- engine.db as the first version of the schema had it: replay --rules rules.toml --state . before.log, then .dump
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES('rules','9d2166893ca678f93fa291b291feffbbcd4864de324027003d737715263ee427');
INSERT INTO meta VALUES('snapshot_seq','11');
CREATE TABLE rule_set (hash TEXT PRIMARY KEY, files TEXT NOT NULL) STRICT;
INSERT INTO rule_set VALUES('9d2166893ca678f93fa291b291feffbbcd4864de324027003d737715263ee427','[["rules.toml","# SPDX-License-Identifier: Apache-2.0\n# One rule of each operation, so that a window row of each stands in schema_1.sql.\nformat = 1\n\n[class.\"disk.error\"]\nkey = [\"host\", \"part\"]\nrequires = { severity = \"text\", part = \"text\", v = \"int\" }\n[class.\"disk.ok\"]\nkey = [\"host\", \"part\"]\nrequires = { severity = \"text\", part = \"text\" }\n\n[[event]]\nid = \"error\"\nclass = \"disk.error\"\nmatch = ''ERR (?P<part>\\S+) v=(?P<v>\\d+)''\ntypes = { v = \"int\" }\nlet = { severity = \"''corrected''\" }\n[[event]]\nid = \"ok\"\nclass = \"disk.ok\"\nmatch = ''FINE (?P<part>\\S+)''\nlet = { severity = \"''info''\" }\n\n[[rule]]\nid = \"count\"\non = \"disk.error\"\ncount = \"3 in 1h\"\n[[rule]]\nid = \"bucket\"\non = \"disk.error\"\ncount = { threshold = \"3 in 1h\", window = \"tumbling\" }\n[[rule]]\nid = \"rate\"\non = \"disk.error\"\nrate = { raise = \"4 in 1h\", clear = \"1 in 30m\" }\n[[rule]]\nid = \"distinct\"\non = \"disk.error\"\nkey = [\"host\"]\ndistinct = \"3 part in 1h\"\n[[rule]]\nid = \"streak\"\non = \"disk.error\"\nstreak = 3\nbroken_by = \"disk.ok\"\n[[rule]]\nid = \"sequence\"\nkey = [\"host\"]\nsequence = { within = \"1h\", steps = [{ on = \"disk.ok\", as = \"p\" }, { on = \"disk.error\", where = \"part == p.part\" }] }\n[[rule]]\nid = \"answer\"\nkey = [\"host\", \"part\"]\nabsence = { after = \"disk.error\", of = \"disk.ok\", within = \"20m\" }\n[[rule]]\nid = \"silent\"\nkey = [\"host\"]\nabsence = { of = [\"disk.ok\", \"disk.error\"], for = \"2h\" }\n[[rule]]\nid = \"group\"\nkey = [\"host\"]\ngroup = { within = \"1h\", of = [{ on = \"disk.error\", count = 2 }, { on = \"disk.ok\", count = 2 }] }\n[[rule]]\nid = \"rise\"\non = \"disk.error\"\nlevel = { of = \"v\", rises_by = 5, within = \"1h\" }\n[[rule]]\nid = \"clock\"\nschedule = \"0 * * * *\"\n"]]');
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO stream VALUES(1,'');
INSERT INTO stream VALUES(2,'before.log');
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO owner VALUES(1,'engine');
INSERT INTO owner VALUES(2,'count');
INSERT INTO owner VALUES(3,'bucket');
INSERT INTO owner VALUES(4,'rate');
INSERT INTO owner VALUES(5,'distinct');
INSERT INTO owner VALUES(6,'streak');
INSERT INTO owner VALUES(7,'sequence');
INSERT INTO owner VALUES(8,'answer');
INSERT INTO owner VALUES(9,'silent');
INSERT INTO owner VALUES(10,'group');
INSERT INTO owner VALUES(11,'rise');
INSERT INTO owner VALUES(12,'clock');
INSERT INTO owner VALUES(13,'alike');
INSERT INTO owner VALUES(14,'');
CREATE TABLE cursor (
  stream TEXT PRIMARY KEY, identity TEXT NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL, extra TEXT NOT NULL
) STRICT;
INSERT INTO cursor VALUES('before.log','305:0e676ce142ac7fb85cd3c1a24704d264',305,0,'{"file":"before.log","line":false}');
CREATE TABLE intake (
  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time INTEGER NOT NULL, stream INTEGER NOT NULL,
  line INTEGER NOT NULL, frame BLOB NOT NULL, extra TEXT NOT NULL
) STRICT;
INSERT INTO intake VALUES(1,3,0,1,0,X'39643231363638393363613637386639336661323931623239316665666662626364343836346465333234303237303033643733373731353236336565343237','');
INSERT INTO intake VALUES(2,2,1767261600000000,1,0,X'','');
INSERT INTO intake VALUES(3,1,1767261600000000,2,1,X'323032362d30312d30315431303a30303a30305a206b766d31206469736b3a204552522073646120763d31','');
INSERT INTO intake VALUES(4,1,1767261900000000,2,2,X'323032362d30312d30315431303a30353a30305a206b766d31206469736b3a204552522073646220763d32','');
INSERT INTO intake VALUES(5,1,1767261960000000,2,3,X'323032362d30312d30315431303a30363a30305a206b766d32206469736b3a204552522073646120763d31','');
INSERT INTO intake VALUES(6,1,1767262020000000,2,4,X'323032362d30312d30315431303a30373a30305a206b766d32206469736b3a204552522073646120763d32','');
INSERT INTO intake VALUES(7,1,1767262080000000,2,5,X'323032362d30312d30315431303a30383a30305a206b766d32206469736b3a204552522073646120763d33','');
INSERT INTO intake VALUES(8,1,1767262140000000,2,6,X'323032362d30312d30315431303a30393a30305a206b766d31206469736b3a2046494e4520736463','');
INSERT INTO intake VALUES(9,2,1767262320000000,1,0,X'','');
INSERT INTO intake VALUES(10,1,1767262320000000,2,7,X'323032362d30312d30315431303a31323a30305a206b766d31206469736b3a204552522073646120763d33','');
INSERT INTO intake VALUES(11,8,0,1,0,X'','');
CREATE TABLE live_window      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
INSERT INTO live_window VALUES(4294967296,12,'','{"k":[],"s":[1767261600000000],"n":-2305843009213693952,"u":1}');
INSERT INTO live_window VALUES(4294967297,2,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":[1767261600000000,1,1767262320000000,1],"e":[2,1,1767261600000000,3,720000000,7]}');
INSERT INTO live_window VALUES(4294967298,3,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":[[1767261600000000,2],null],"e":[2,1,1767261600000000,3,720000000,7]}');
INSERT INTO live_window VALUES(4294967299,4,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":[1767261600000000,1,1767262320000000,1],"e":[2,1,1767261600000000,3,720000000,7]}');
INSERT INTO live_window VALUES(4294967300,5,'host=kvm1','{"k":["kvm1"],"s":[["sdb",1767261900000000],["sda",1767261600000000,1767262320000000]],"e":[3,1,1767261600000000,3,300000000,1,420000000,6]}');
INSERT INTO live_window VALUES(4294967301,6,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":[2],"e":[2,1,1767261600000000,3,720000000,7]}');
INSERT INTO live_window VALUES(4294967303,8,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":{"times":[[1767261600000000,1767262320000000],[]],"waiting":[{"since":1767261600000000,"scene":{"fields":{"host":"kvm1","program":"disk","text":"ERR sda v=1","time":{"time":1767261600000000},"part":"sda","v":1,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767261600000000,3]},{"since":1767262320000000,"scene":{"fields":{"host":"kvm1","program":"disk","text":"ERR sda v=3","time":{"time":1767262320000000},"part":"sda","v":3,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767262320000000,10]}]},"n":1767262320000000}');
INSERT INTO live_window VALUES(4294967304,9,'host=kvm1','{"k":["kvm1"],"s":[[1767262320000000],null],"e":[1,1,1767262320000000,10]}');
INSERT INTO live_window VALUES(4294967305,10,'host=kvm1','{"k":["kvm1"],"s":[[1767261900000000,1,1767262320000000,1],[1767262140000000,1]],"e":[4,1,1767261600000000,3,300000000,1,240000000,4,180000000,2]}');
INSERT INTO live_window VALUES(4294967306,11,'host=kvm1 part=sda','{"k":["kvm1","sda"],"s":[3,[1767261600000000,1,1767262320000000,3]],"e":[2,1,1767261600000000,3,720000000,7]}');
INSERT INTO live_window VALUES(4294967307,2,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":[1767261900000000,1],"e":[1,1,1767261900000000,4]}');
INSERT INTO live_window VALUES(4294967308,3,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":[[1767261600000000,1],null],"e":[1,1,1767261900000000,4]}');
INSERT INTO live_window VALUES(4294967309,4,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":[1767261900000000,1],"e":[1,1,1767261900000000,4]}');
INSERT INTO live_window VALUES(4294967310,6,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":[1],"e":[1,1,1767261900000000,4]}');
INSERT INTO live_window VALUES(4294967312,8,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":{"times":[[1767261900000000],[]],"waiting":[{"since":1767261900000000,"scene":{"fields":{"host":"kvm1","program":"disk","text":"ERR sdb v=2","time":{"time":1767261900000000},"part":"sdb","v":2,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767261900000000,4]}]},"n":1767261900000000}');
INSERT INTO live_window VALUES(4294967313,11,'host=kvm1 part=sdb','{"k":["kvm1","sdb"],"s":[2,[1767261900000000,2]],"e":[1,1,1767261900000000,4]}');
INSERT INTO live_window VALUES(4294967314,2,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":[1767261960000000,1,1767262020000000,1,1767262080000000,1],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967315,3,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":[[1767261600000000,3],1767261600000000],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967316,4,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":[1767261960000000,1,1767262020000000,1,1767262080000000,1],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967317,5,'host=kvm2','{"k":["kvm2"],"s":[["sda",1767261960000000,1767262020000000,1767262080000000]],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967318,6,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":[3],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967320,8,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":{"times":[[1767261960000000,1767262020000000,1767262080000000],[]],"waiting":[{"since":1767261960000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=1","time":{"time":1767261960000000},"part":"sda","v":1,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767261960000000,5]},{"since":1767262020000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=2","time":{"time":1767262020000000},"part":"sda","v":2,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767262020000000,6]},{"since":1767262080000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=3","time":{"time":1767262080000000},"part":"sda","v":3,"severity":"corrected","class":"disk.error","weight":1}},"lines":[1,1,1767262080000000,7]}]},"n":1767262080000000}');
INSERT INTO live_window VALUES(4294967321,9,'host=kvm2','{"k":["kvm2"],"s":[[1767262080000000],null],"e":[1,1,1767262080000000,7]}');
INSERT INTO live_window VALUES(4294967322,10,'host=kvm2','{"k":["kvm2"],"s":[[1767262020000000,1,1767262080000000,1],[]],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967323,11,'host=kvm2 part=sda','{"k":["kvm2","sda"],"s":[3,[1767261960000000,1,1767262020000000,2,1767262080000000,3]],"e":[3,1,1767261960000000,5,60000000,1,60000000,1]}');
INSERT INTO live_window VALUES(4294967335,7,'host=kvm1','{"k":["kvm1"],"s":[{"begin":1767262140000000,"last":1767262140000000,"done":1,"steps":[{"host":"kvm1","program":"disk","text":"FINE sdc","time":{"time":1767262140000000},"part":"sdc","severity":"info","class":"disk.ok","weight":1},{}],"lines":[1,1,1767262140000000,8]}],"n":1767262320000000}');
INSERT INTO live_window VALUES(4294967336,8,'host=kvm1 part=sdc','{"k":["kvm1","sdc"],"s":{"times":[[],[1767262140000000]]},"n":1767262140000000}');
CREATE TABLE live_record      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_group       (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_context     (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_timer       (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_case        (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
INSERT INTO live_case VALUES(4294967326,2,'host=kvm2 part=sda','{"firing":{"id":4294967325,"rule":"count","case":4294967326,"key":["kvm2","sda"],"time":1767262080000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=3","time":{"time":1767262080000000},"part":"sda","v":3,"severity":"corrected","class":"disk.error","weight":1}},"have":3,"why":"3 disk.error of 3 in 1h for host=kvm2 part=sda: the first at 2026-01-01T10:06:00Z, the third at 2026-01-01T10:08:00Z; 3 lines","lines":[3,1,1767261960000000,5,60000000,1,60000000,1]},"from":1767261960000000,"fired":1767262080000000,"acked":false,"members":[4294967314],"heard":[1767261960000000,1,1767262020000000,1,1767262080000000,1]}');
INSERT INTO live_case VALUES(4294967329,3,'host=kvm2 part=sda','{"firing":{"id":4294967328,"rule":"bucket","case":4294967329,"key":["kvm2","sda"],"time":1767262080000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=3","time":{"time":1767262080000000},"part":"sda","v":3,"severity":"corrected","class":"disk.error","weight":1}},"have":3,"why":"3 disk.error of 3 for host=kvm2 part=sda in the 1h from 2026-01-01T10:00:00Z on; 3 lines","lines":[3,1,1767261960000000,5,60000000,1,60000000,1]},"from":1767261600000000,"fired":1767265200000000,"acked":false,"members":[4294967315],"heard":[1767262080000000,1]}');
INSERT INTO live_case VALUES(4294967332,6,'host=kvm2 part=sda','{"firing":{"id":4294967331,"rule":"streak","case":4294967332,"key":["kvm2","sda"],"time":1767262080000000,"scene":{"fields":{"host":"kvm2","program":"disk","text":"ERR sda v=3","time":{"time":1767262080000000},"part":"sda","v":3,"severity":"corrected","class":"disk.error","weight":1}},"have":3,"why":"3 disk.error of 3 in a row for host=kvm2 part=sda: the third at 2026-01-01T10:08:00Z; 3 lines","lines":[3,1,1767261960000000,5,60000000,1,60000000,1]},"from":-2305843009213693952,"fired":1767262080000000,"acked":false,"members":[4294967318],"heard":[1767262080000000,1]}');
CREATE TABLE live_counter     (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_engine      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
INSERT INTO live_engine VALUES(2147483648,1,'','{"ids":4294967337,"counters":[7,7,3,0,0,0,0,0,0,0,0,0,0,0,0,0],"rules":{"count":["113abf7d75f27963e225fd6147995c6e",1767261600000000],"bucket":["5cfdcaba4624786ac87b8b3326a33888",1767261600000000],"rate":["32e5d44a8bce13d2d2bffb5de326fe75",1767261600000000],"distinct":["c05b56140a31173677c94af45095bf39",1767261600000000],"streak":["c3c450085045159d997e66a4831584a3",1767261600000000],"sequence":["e330db2265876c9bedff7be1245985f6",1767261600000000],"answer":["cc81014cba95c084d5dddbad92df2e42",1767261600000000],"silent":["39b6704ef0542187dc02de5721d7c690",1767261600000000],"group":["ba162da661c0d11485173ec04464c804",1767261600000000],"rise":["c40fbe1df2630eca1e650d896d8e7545",1767261600000000],"clock":["27223eb3072778a33baf12acc642169e",1767261600000000]},"gone":{},"clock":1767262320000000}');
INSERT INTO live_engine VALUES(4294967327,13,'585a3ea93a64cb6a27d3869d12260395','[1767262080000000,1]');
INSERT INTO live_engine VALUES(4294967330,13,'19e94f7a236c0118d6f75227bc2aafc2','[1767262080000000,1]');
INSERT INTO live_engine VALUES(4294967333,13,'1d18478ed98f4d9ba5bd025cb103ee77','[1767262080000000,1]');
CREATE TABLE live_lookup      (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE live_evidence    (id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL) STRICT;
INSERT INTO live_evidence VALUES(3,14,'','[1767261600000000,"kvm1","ERR sda v=1","before.log",1]');
INSERT INTO live_evidence VALUES(4,14,'','[1767261900000000,"kvm1","ERR sdb v=2","before.log",2]');
INSERT INTO live_evidence VALUES(5,14,'','[1767261960000000,"kvm2","ERR sda v=1","before.log",3]');
INSERT INTO live_evidence VALUES(6,14,'','[1767262020000000,"kvm2","ERR sda v=2","before.log",4]');
INSERT INTO live_evidence VALUES(7,14,'','[1767262080000000,"kvm2","ERR sda v=3","before.log",5]');
INSERT INTO live_evidence VALUES(8,14,'','[1767262140000000,"kvm1","FINE sdc","before.log",6]');
INSERT INTO live_evidence VALUES(10,14,'','[1767262320000000,"kvm1","ERR sda v=3","before.log",7]');
CREATE TABLE kept_state (
  generation INTEGER NOT NULL, kind INTEGER NOT NULL, id INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (generation, kind, id)
) STRICT;
CREATE TABLE decision (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL, seq INTEGER NOT NULL, rule TEXT NOT NULL,
  key TEXT NOT NULL, step INTEGER NOT NULL, action TEXT NOT NULL, fate TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
INSERT INTO decision VALUES(1,'585a3ea93a64cb6a27d3869d12260395',1767262080000000,7,'count','host=kvm2 part=sda',0,'','decided','{"type":"decision","time":"2026-01-01T10:08:00Z","id":"585a3ea93a64cb6a27d3869d12260395","rule":"count","urgency":"warning","key":{"host":"kvm2","part":"sda"},"step":0,"action":null,"argv":[],"why":"3 disk.error of 3 in 1h for host=kvm2 part=sda: the first at 2026-01-01T10:06:00Z, the third at 2026-01-01T10:08:00Z; 3 lines","trust":"claimed","evidence":[{"time":"2026-01-01T10:06:00Z","host":"kvm2","text":"ERR sda v=1","file":"before.log","line":3},{"time":"2026-01-01T10:07:00Z","host":"kvm2","text":"ERR sda v=2","file":"before.log","line":4},{"time":"2026-01-01T10:08:00Z","host":"kvm2","text":"ERR sda v=3","file":"before.log","line":5}],"evidence_total":3}');
INSERT INTO decision VALUES(2,'19e94f7a236c0118d6f75227bc2aafc2',1767262080000000,7,'bucket','host=kvm2 part=sda',0,'','decided','{"type":"decision","time":"2026-01-01T10:08:00Z","id":"19e94f7a236c0118d6f75227bc2aafc2","rule":"bucket","urgency":"warning","key":{"host":"kvm2","part":"sda"},"step":0,"action":null,"argv":[],"why":"3 disk.error of 3 for host=kvm2 part=sda in the 1h from 2026-01-01T10:00:00Z on; 3 lines","trust":"claimed","evidence":[{"time":"2026-01-01T10:06:00Z","host":"kvm2","text":"ERR sda v=1","file":"before.log","line":3},{"time":"2026-01-01T10:07:00Z","host":"kvm2","text":"ERR sda v=2","file":"before.log","line":4},{"time":"2026-01-01T10:08:00Z","host":"kvm2","text":"ERR sda v=3","file":"before.log","line":5}],"evidence_total":3}');
INSERT INTO decision VALUES(3,'1d18478ed98f4d9ba5bd025cb103ee77',1767262080000000,7,'streak','host=kvm2 part=sda',0,'','decided','{"type":"decision","time":"2026-01-01T10:08:00Z","id":"1d18478ed98f4d9ba5bd025cb103ee77","rule":"streak","urgency":"warning","key":{"host":"kvm2","part":"sda"},"step":0,"action":null,"argv":[],"why":"3 disk.error of 3 in a row for host=kvm2 part=sda: the third at 2026-01-01T10:08:00Z; 3 lines","trust":"claimed","evidence":[{"time":"2026-01-01T10:06:00Z","host":"kvm2","text":"ERR sda v=1","file":"before.log","line":3},{"time":"2026-01-01T10:07:00Z","host":"kvm2","text":"ERR sda v=2","file":"before.log","line":4},{"time":"2026-01-01T10:08:00Z","host":"kvm2","text":"ERR sda v=3","file":"before.log","line":5}],"evidence_total":3}');
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
COMMIT;
PRAGMA user_version = 1;
