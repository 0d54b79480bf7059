"""Buckets of staged objects: one contract; ours through obstore, a customer's through boto3."""
