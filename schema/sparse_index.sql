-- Counts along the default order of each partition (the rows of one set of parents) with many rows: see
-- server/store/pages/sparse_index.h. Made when the dataset is finished.
CREATE TABLE sparse_index (
  resource TEXT NOT NULL,  -- the table of the rows
  parents  TEXT NOT NULL,  -- a JSON array of the parents' keys, outermost first
  entries  BLOB NOT NULL,  -- as SparseIndex::bytes() makes them
  PRIMARY KEY (resource, parents)
) WITHOUT ROWID;
