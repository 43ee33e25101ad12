"""How the schema of the record came to be what it is, one file for each step. Run by `worker.record.schema`."""
