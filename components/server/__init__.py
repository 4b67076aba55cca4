"""The HTTP side: routes, caches, the guard before callbacks, what callbacks share."""
