"""What hears: the two ears, the teachers of the first one, and what was heard."""
