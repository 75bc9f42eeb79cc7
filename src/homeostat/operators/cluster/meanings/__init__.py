"""What every word of words.py means to the people who meet it, and what they do about it; by condition."""
