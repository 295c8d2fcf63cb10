"""An OpenID Connect provider for development: whoever asks is whom he chooses. The bridge refuses it in production."""
