"""The query language: text to tree (parser), tree to text (printer), and completion. Pure.

`syntax_tree` is the contract: JSON conditions of POST /v1/search become the same tree, and
functions.query.compile reads nothing else. docs/query.md is the reference for people.
"""
