"""Business clusters as their clients reach them: through the endpoint, or one API server past it."""
