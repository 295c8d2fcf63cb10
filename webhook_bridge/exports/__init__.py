"""Lists handed out whole, as files: a page at a time, for whoever may see the list (docs/api.md, Exports)."""
