"""What a newsroom decides about its Dateline, and the configuration of what runs beside it (Redis)."""
