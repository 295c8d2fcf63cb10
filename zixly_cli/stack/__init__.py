"""The embedded stack: what its processes are, how they are started in order, watched and stopped."""
