"""Data."""

from pages._parts.header import page_header

page_header("data", "Data", "")
