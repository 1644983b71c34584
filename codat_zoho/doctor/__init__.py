"""What ``codat-zoho doctor`` looks at: one small function per question, each with a verdict and the next step."""
