"""Infrastructure: `topology` is plain data; the CDK stacks and the local stack are built from it."""
