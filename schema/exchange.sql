-- Requests that are answered as they were captured, whatever the catalogue says.
CREATE TABLE exchange (
  request      TEXT NOT NULL,     -- "METHOD TARGET", the target as canonical_target() in server/ocp/url.h makes it
  request_body TEXT NOT NULL,     -- the canonical JSON that the request's body must be; empty for any body
  status       INTEGER NOT NULL,
  content_type TEXT NOT NULL,     -- empty for none
  body         TEXT NOT NULL,
  is_envelope  INTEGER NOT NULL,  -- 1: the values of OCP's envelope are those of each answer
  PRIMARY KEY (request, request_body)
) WITHOUT ROWID;
