"""Hosting for a class: who acts, what is theirs, and what they may open. Everything is allowed unless
`RLHF_PLAYGROUND_HOSTED=1`.

mode.py        the environment's wishes, and whether they suffice to begin
people.py      who acts: a person who has signed in, or whoever runs this machine
sign_in.py     the class's password, each person's own word, and the token of one who has shown both
ownership.py   annotators' names, runs and data sets: whose they are
permission.py  which models, files and folders a person may open
limits.py      how many runs a person may have
"""
