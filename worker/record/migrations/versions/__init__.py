"""The steps: `rNNNN_what.py`, NNNN being the schema that it leads to. One that was released is never changed."""
