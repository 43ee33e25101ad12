"""`python -m worker.cli`, as the processes of `dateline up` are started: with the very Python that runs it."""

from dateline import main

main()
