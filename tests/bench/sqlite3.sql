-- The tasks as one would keep them by sqlite3 alone, with the columns and indexes of the mock's own table. An instant is two
-- integers: seconds since 1970-01-01T00:00:00Z and the nanoseconds after them.
CREATE TABLE log_backup_task (
  id                 INTEGER PRIMARY KEY,  -- the order of the fixtures
  cluster_id         INTEGER NOT NULL,
  tenant_id          INTEGER NOT NULL,
  create_time_second INTEGER NOT NULL,
  create_time_nano   INTEGER NOT NULL,
  status             TEXT NOT NULL,
  modify_time_second INTEGER,
  modify_time_nano   INTEGER,
  checkpoint_second  INTEGER,
  checkpoint_nano    INTEGER,
  delay              NUMERIC,
  json               TEXT NOT NULL         -- the task as it is answered
);

-- The default order, and windows of time. With id and status in it a page is found, and a filter counted, without the
-- table.
CREATE INDEX log_backup_task_by_time ON log_backup_task
  (cluster_id, tenant_id, create_time_second DESC, create_time_nano DESC, id, status);

-- One status, in the default order.
CREATE INDEX log_backup_task_by_status ON log_backup_task
  (cluster_id, tenant_id, status, create_time_second DESC, create_time_nano DESC, id);
