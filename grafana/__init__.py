"""Grafana's dashboards as code: `python -m grafana.generate` writes them to `dashboards/`. docs/monitoring.md tells how they are used."""
