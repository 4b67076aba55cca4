"""The built-in projection methods, one object and one file each; services.projection.registry lists them."""
