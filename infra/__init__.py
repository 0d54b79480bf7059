"""What runs where: `topology` is plain data; the CDK stacks and the local stack are both made from it."""
