"""The console: pages on which people see how everything stands, and act. Drawn on the server, readable without scripts.

A page reads and acts through the same functions as the API, and under the same table of permissions. One module for each page, with
`NAME_routes(parts)`; its template extends `templates/console/base.html`; its line in `sections.py` brings it into the navigation.
"""
