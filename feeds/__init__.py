"""What a newsroom's feeds are: articles, their life, the feeds they belong to and the formats they leave in.

Everything in this package is a function of its arguments. It never does I/O, never asks what time it is, never draws a
random number: times, chance and ids are arguments. It imports nothing of the project outside itself.
"""
