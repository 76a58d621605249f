-- Counts along the default order of each tenant with many tasks, of any table: see server/store/milestones.h. Made when
-- the dataset is finished.
CREATE TABLE milestone (
  resource   TEXT NOT NULL,     -- the table of the tasks
  cluster_id INTEGER NOT NULL,
  tenant_id  INTEGER NOT NULL,
  places     BLOB NOT NULL,     -- as Milestones::bytes() makes them
  PRIMARY KEY (resource, cluster_id, tenant_id)
) WITHOUT ROWID;
