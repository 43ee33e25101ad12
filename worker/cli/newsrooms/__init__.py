"""A newsroom as commands reach it: beside its Redis and record, or over its API. One file for each noun.

Both ways give the same values, which are those of the API's answers; commands print from these, and know no difference.
What runs beside Redis does what the API's routes do: by the operations of the rooms, as the user of the shell.
"""
