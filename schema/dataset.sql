-- What a dataset holds beside its tasks. application_id marks the file as a dataset ("OCPM"), user_version is the
-- version of all tables, of the milestones and of the checks of pages: raise it when a statement here, with the comments
-- inside it, or an endpoint's list of statuses changes.
PRAGMA application_id = 0x4F43504D;
PRAGMA user_version = 4;

CREATE TABLE cluster (
  id   INTEGER PRIMARY KEY,
  name TEXT
);

CREATE TABLE tenant (
  cluster_id INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  name       TEXT,
  PRIMARY KEY (cluster_id, id)
) WITHOUT ROWID;

-- Facts of the dataset as a whole: envelope.* are the envelope values of the first captured answer; computed.TABLE is
-- there where tasks of that table may have a computed delay.
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
