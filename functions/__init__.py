"""AstraLog Cloud's Lambda functions, one folder each; `shared` holds what two of them use."""
