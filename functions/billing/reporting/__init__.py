"""Reports counted usage to Stripe, exactly once."""
