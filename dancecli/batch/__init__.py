"""`dance batch`: many jobs from a table, sharing work, resumable, in many processes.

table.py      rows of a CSV or JSONL file, or photos x videos
orders.py     one row as a job; which of its files lie behind URLs
checking.py   what is wrong with rows, before anything runs
state.py      what earlier runs did
planning.py   what is left to do, and in which order
doing.py      one job, in whatever process
running.py    all of them
"""
