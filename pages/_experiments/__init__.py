"""What the pages share that lay many small runs side by side."""
