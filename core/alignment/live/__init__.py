"""The live head: what a small model on frozen features makes of every vote at once, and what it would ask next."""
