"""Imported last by the process that others are forked from: none of them looks for garbage in what is there by then."""

import gc

gc.collect()
gc.freeze()
