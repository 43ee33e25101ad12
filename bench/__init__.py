"""The benchmark: how fast Dateline delivers, beside what others do with the same bytes on the same machine.

`make bench` runs every row and writes RESULTS.md; `make bench-quick` does a tenth of the work and writes nothing.
"""
