-- How rows of any table change as time passes. What they are before the first point is in their own table.
CREATE TABLE timeline (
  resource TEXT NOT NULL,     -- the table of the row
  row_id   INTEGER NOT NULL,
  since    TEXT,              -- RFC 3339; without it the points count from the load
  points   TEXT NOT NULL,     -- the JSON array of the fixture, nulls kept
  PRIMARY KEY (resource, row_id)
) WITHOUT ROWID;
