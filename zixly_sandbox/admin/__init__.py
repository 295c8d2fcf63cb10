"""The admin API: what people and tests steer the sandbox with. No vendor has anything like it."""
