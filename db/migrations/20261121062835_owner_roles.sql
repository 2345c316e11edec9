-- The owner may act as the runtime roles, so that tools and tests see what a user sees; PostgreSQL 16 gives whoever
-- creates a role the right to grant it, not to take it on.
GRANT authenticated, support, admin, anonymous, service TO CURRENT_USER WITH SET TRUE, INHERIT FALSE;
