-- A guest's résumés become the user's. A name that the user has already gets a number.
CREATE FUNCTION auth.adopt_resumes(guest text, adopter text)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	item record;
	address text;
	title text;
	suffix text;
	number integer;
BEGIN
	SELECT u.email INTO address FROM public."user" u WHERE u.id = adopter AND NOT u.is_anonymous;
	IF NOT FOUND OR NOT EXISTS (SELECT FROM public."user" u WHERE u.id = guest AND u.is_anonymous) THEN
		RAISE EXCEPTION 'only what a guest has can be handed over, and only to a user';
	END IF;
	FOR item IN SELECT r.id, r.name, r.deleted_at FROM public.resume r WHERE r.user_id = guest ORDER BY r.id LOOP
		title := item.name;
		number := 1;
		WHILE item.deleted_at IS NULL AND EXISTS (
			SELECT FROM public.resume r WHERE r.user_id = adopter AND r.name = title AND r.deleted_at IS NULL
		) LOOP
			number := number + 1;
			suffix := ' (' || number || ')';
			title := left(item.name, 100 - char_length(suffix)) || suffix;
		END LOOP;
		UPDATE public.resume SET user_id = adopter, user_email = address, name = title, updated_at = now()
		WHERE id = item.id;
	END LOOP;
END
$$;--> statement-breakpoint
-- Who calls with a token of an external issuer, which the worker has verified: found by issuer and subject, or made. The
-- same row as auth.resolve_caller gives, without a session. Nobody is ever found by an address alone.
CREATE FUNCTION auth.resolve_external(
	issuer text,
	subject text,
	new_user text,
	new_identity text,
	address text,
	title text,
	organization text DEFAULT NULL
)
RETURNS TABLE (
	user_id text,
	name text,
	email text,
	email_verified boolean,
	image text,
	is_anonymous boolean,
	platform_role text,
	created_at timestamptz,
	updated_at timestamptz,
	organization_id text,
	member_role text
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
	holder text;
BEGIN
	SELECT i.user_id INTO holder FROM public.identity i WHERE i.provider_id = issuer AND i.account_id = subject;
	IF NOT FOUND THEN
		-- Two first requests at once make one user.
		PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(issuer || ' ' || subject, 0));
		SELECT i.user_id INTO holder FROM public.identity i WHERE i.provider_id = issuer AND i.account_id = subject;
	END IF;
	IF holder IS NULL THEN
		holder := new_user;
		INSERT INTO public."user" (id, name, email, email_verified)
		VALUES (new_user, title, coalesce(address, new_user || '@external.invalid'), address IS NOT NULL)
		ON CONFLICT DO NOTHING;
		IF NOT FOUND THEN
			INSERT INTO public."user" (id, name, email) VALUES (new_user, title, new_user || '@external.invalid');
		END IF;
		INSERT INTO public.identity (id, user_id, provider_id, account_id) VALUES (new_identity, new_user, issuer, subject);
	END IF;
	RETURN QUERY
	SELECT u.id, u.name, u.email, u.email_verified, u.image, u.is_anonymous, u.role, u.created_at, u.updated_at,
		m.organization_id, m.role
	FROM public."user" u
	LEFT JOIN (public.member m JOIN public.organization o ON o.id = m.organization_id AND o.deleted_at IS NULL)
		ON m.user_id = u.id AND m.organization_id = organization
	WHERE u.id = holder AND NOT (u.banned AND (u.ban_expires IS NULL OR u.ban_expires > now()));
END
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION
	auth.adopt_resumes(text, text),
	auth.resolve_external(text, text, text, text, text, text, text)
FROM PUBLIC;--> statement-breakpoint
GRANT CREATE ON SCHEMA auth TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.adopt_resumes(text, text) OWNER TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.resolve_external(text, text, text, text, text, text, text) OWNER TO auth_resolver;--> statement-breakpoint
REVOKE CREATE ON SCHEMA auth FROM auth_resolver;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
	auth.adopt_resumes(text, text),
	auth.resolve_external(text, text, text, text, text, text, text)
TO app_direct;
