"""Tests of what users touch. They import nothing of this repository but the package, so that they also run elsewhere."""
