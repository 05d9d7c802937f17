"""The one database: votes, imported preferences, and what runs write down."""
