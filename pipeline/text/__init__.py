"""Raw text → words and sentences that keep their raw offsets."""
