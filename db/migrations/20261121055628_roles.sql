-- Runtime roles. They own nothing, bypass nothing and inherit nothing. Logins and passwords are set apart from the
-- schema (bun db:roles), so the roles start without; roles belong to the cluster, so they may be there already.
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['app_cached', 'app_direct', 'authenticated', 'support', 'admin', 'anonymous', 'service', 'auth_resolver'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
			EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', name);
		END IF;
	END LOOP;
END
$$;--> statement-breakpoint
GRANT authenticated, support, admin, anonymous, service TO app_direct WITH SET TRUE, INHERIT FALSE;--> statement-breakpoint
-- The owner of the schema defines and replaces auth_resolver's functions.
GRANT auth_resolver TO CURRENT_USER WITH SET TRUE, INHERIT TRUE;--> statement-breakpoint
REVOKE CREATE ON SCHEMA public FROM PUBLIC;--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO app_cached, app_direct, authenticated, support, admin, anonymous, service, auth_resolver;--> statement-breakpoint
CREATE SCHEMA auth;--> statement-breakpoint
GRANT USAGE ON SCHEMA auth TO app_direct, authenticated, support, admin, anonymous, service, auth_resolver;--> statement-breakpoint
CREATE FUNCTION auth.uid() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub'
$$;--> statement-breakpoint
CREATE FUNCTION auth.org() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'org'
$$;--> statement-breakpoint
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'role'
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION auth.uid(), auth.org(), auth.role() FROM PUBLIC;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION auth.uid(), auth.org(), auth.role() TO authenticated, support, admin, anonymous, service;
