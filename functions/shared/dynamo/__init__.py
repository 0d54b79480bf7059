"""DynamoDB writes: errors without the request's contents, and transactions."""
