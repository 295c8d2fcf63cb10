"""docker-compose.yml brought up without a Docker engine: Podman in namespaces of its own, stand-ins for images (docs/decisions/0042)."""
