"""The whole of RLHF on one page."""

from pages._parts.header import page_header

page_header("overview", "A language model learns what you like", "It writes, you vote, a second model learns your votes, and the first is bent toward them.")
