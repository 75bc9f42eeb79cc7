"""What a simulated API server costs by itself: a large tenant listed and watched, single requests, an empty tenant."""
