"""OpenID Connect from a client's side: tokens checked, keys fetched, codes redeemed. Any provider with a discovery document."""
