"""The bytes that the browser reads; `docs/payload.md` is their contract."""
