-- Who calls: session, user, wanted organization (or the session's active one) and the membership in it, in one
-- statement. No row: no valid session. organization_id null: none wanted, or no member of it.
CREATE FUNCTION auth.resolve_caller(token text, organization text DEFAULT NULL)
RETURNS TABLE (
	session_id text,
	session_created_at timestamptz,
	impersonated_by text,
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
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
	SELECT s.id, s.created_at, s.impersonated_by,
		u.id, u.name, u.email, u.email_verified, u.image, u.is_anonymous, u.role, u.created_at, u.updated_at,
		m.organization_id, m.role
	FROM public.session s
	JOIN public."user" u ON u.id = s.user_id
	LEFT JOIN (public.member m JOIN public.organization o ON o.id = m.organization_id AND o.deleted_at IS NULL)
		ON m.user_id = u.id AND m.organization_id = coalesce($2, s.active_organization_id)
	WHERE s.token = $1
		AND s.expires_at > now()
		AND NOT (u.banned AND (u.ban_expires IS NULL OR u.ban_expires > now()))
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION auth.resolve_caller(text, text) FROM PUBLIC;--> statement-breakpoint
GRANT CREATE ON SCHEMA auth TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.resolve_caller(text, text) OWNER TO auth_resolver;--> statement-breakpoint
REVOKE CREATE ON SCHEMA auth FROM auth_resolver;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION auth.resolve_caller(text, text) TO app_direct;
