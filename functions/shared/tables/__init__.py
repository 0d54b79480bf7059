"""DynamoDB: one module per table with its pynamodb model, and the table that all of them are read through.

Only modules in this package know how an item is encoded. The tables themselves, with time to live and
recovery, are data in infra/topology/tables.py; a test holds the models against it.
"""
