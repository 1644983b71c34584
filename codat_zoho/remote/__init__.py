"""What talks: HTTP with deadlines, retries and a call budget, Codat, Zoho, and the loop that converges."""
