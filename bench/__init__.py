"""What the package costs beside a floor that does the same without it: ``make bench``."""
