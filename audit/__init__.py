"""The audit of what is deployed and what ships: `make audit`.

The templates are read by cdk-nag, checkov and cfn-lint, with the defaults and with every choice on. Licences,
hashes and bills of materials are read from the lock files and the built zips.
"""
