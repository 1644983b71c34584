"""Draws what was found, one small module per format. Knows neither pulumi nor httpx."""
