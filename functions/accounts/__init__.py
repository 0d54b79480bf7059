"""Who may do what: API keys and the authorizer in front of every route."""
