"""The OpenAPI document, made from the topology's routes and what `functions.*.openapi` declares of them.

Made when the zips are built and when a local stack starts; no function imports this package.
"""
