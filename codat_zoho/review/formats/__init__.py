"""The formats of a review, each over the same data."""
