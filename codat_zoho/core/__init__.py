"""What decides: the plan, what is observed, masks. Knows neither pulumi nor httpx, and does no I/O."""
