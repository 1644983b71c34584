"""The formats of a drift report, each over the same data."""
