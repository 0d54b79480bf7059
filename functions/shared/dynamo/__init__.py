"""DynamoDB as functions write it: what failed, without what was asked, and several writes as one."""
