"""The warehouse's schema: ours is brought up to date by migrate, a customer's by whoever meets it first."""
