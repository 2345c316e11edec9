-- The API key that a transaction speaks for; null for people.
CREATE FUNCTION auth.key() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'key'
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION auth.key() FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION auth.key() TO authenticated, support, admin, anonymous, service;
