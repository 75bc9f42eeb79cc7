"""Who may do what: users, what they ask for, and the roles that let them."""
