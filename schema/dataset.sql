-- What a dataset holds beside its rows. application_id marks the file as a dataset ("OCPM"); user_version is a hash of
-- all these statements and of those that the catalogue makes.
PRAGMA application_id = 0x4F43504D;

-- Facts of the dataset as a whole: envelope.* are the envelope values of the first captured answer; computed.TABLE is
-- there where rows of that table may have a computed value.
CREATE TABLE fact (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
