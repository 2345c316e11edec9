-- Which key has this hash, for whom it speaks, and whether its owner may make so many calls more: found and counted in one
-- statement, for all limits or for none of them. No row: no key that is valid now. A key has the role of whoever stands
-- for it; once they have left the organization, it is a member like any other. Refused calls are not counted.
CREATE FUNCTION auth.consume_key(hash text, calls integer DEFAULT 1)
RETURNS TABLE (
	key_id text,
	scopes text[],
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
	member_role text,
	allowed boolean,
	warned boolean,
	limit_max bigint,
	limit_left bigint,
	limit_resets_at timestamptz
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
	payer text;
	today timestamp := now() AT TIME ZONE 'UTC';
BEGIN
	SELECT k.id, k.scopes, u.id, u.name, u.email, u.email_verified, u.image, u.is_anonymous, u.role, u.created_at, u.updated_at,
		k.organization_id, CASE WHEN k.organization_id IS NOT NULL THEN coalesce(m.role, 'member') END,
		coalesce(k.organization_id, k.user_id)
	INTO key_id, scopes, user_id, name, email, email_verified, image, is_anonymous, platform_role, created_at, updated_at,
		organization_id, member_role, payer
	FROM public.api_key k
	LEFT JOIN public."user" u ON u.id = k.user_id
	LEFT JOIN public."user" c ON c.id = k.created_by
	LEFT JOIN public.organization o ON o.id = k.organization_id
	LEFT JOIN public.member m ON m.organization_id = k.organization_id AND m.user_id = k.created_by
	WHERE k.key_hash = hash
		AND k.revoked_at IS NULL
		AND (k.expires_at IS NULL OR k.expires_at > now())
		AND o.deleted_at IS NULL
		AND (c.banned IS NOT TRUE OR c.ban_expires <= now());
	IF NOT FOUND THEN RETURN; END IF;

	-- Whoever keeps calling over a limit writes nothing, and waits for no lock.
	SELECT coalesce(bool_and(n.used + calls <= l.max), true) INTO allowed
	FROM public.usage_limit l
	JOIN public.usage_counter n ON n.owner = payer AND n.metric = l.metric AND n.period = l.period
		AND n.period_start = date_trunc(l.period, today) AT TIME ZONE 'UTC'
	WHERE (l.user_id = payer OR l.organization_id = payer) AND l.metric = 'api_call' AND l.hard;

	IF allowed THEN
		-- In one order, so that calls of one owner never wait for each other in a circle.
		INSERT INTO public.usage_counter AS n (owner, metric, period, period_start, ends_at, used)
		SELECT payer, 'api_call', p.period, date_trunc(p.period, today) AT TIME ZONE 'UTC',
			(date_trunc(p.period, today) + ('1 ' || p.period)::interval) AT TIME ZONE 'UTC', calls
		FROM (
			SELECT DISTINCT l.period FROM public.usage_limit l
			WHERE (l.user_id = payer OR l.organization_id = payer) AND l.metric = 'api_call'
			ORDER BY l.period
		) p
		ON CONFLICT (owner, metric, period, period_start) DO UPDATE SET used = n.used + excluded.used;

		-- Under the lock that the statement above has taken.
		SELECT coalesce(bool_and(n.used <= l.max) FILTER (WHERE l.hard), true), coalesce(bool_or(n.used > l.max), false)
		INTO allowed, warned
		FROM public.usage_limit l
		JOIN public.usage_counter n ON n.owner = payer AND n.metric = l.metric AND n.period = l.period
			AND n.period_start = date_trunc(l.period, today) AT TIME ZONE 'UTC'
		WHERE (l.user_id = payer OR l.organization_id = payer) AND l.metric = 'api_call';

		IF NOT allowed THEN
			UPDATE public.usage_counter n SET used = n.used - calls
			WHERE n.owner = payer AND n.metric = 'api_call'
				AND n.period_start = date_trunc(n.period, today) AT TIME ZONE 'UTC';
		END IF;
	END IF;

	-- The limit that refuses for longest, or else the one that is nearest.
	SELECT l.max, greatest(l.max - n.used, 0), n.ends_at INTO limit_max, limit_left, limit_resets_at
	FROM public.usage_limit l
	JOIN public.usage_counter n ON n.owner = payer AND n.metric = l.metric AND n.period = l.period
		AND n.period_start = date_trunc(l.period, today) AT TIME ZONE 'UTC'
	WHERE (l.user_id = payer OR l.organization_id = payer) AND l.metric = 'api_call' AND l.hard
		AND (allowed OR n.used + calls > l.max)
	ORDER BY CASE WHEN allowed THEN l.max - n.used END, n.ends_at DESC
	LIMIT 1;
	RETURN NEXT;
END
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION auth.consume_key(text, integer) FROM PUBLIC;--> statement-breakpoint
GRANT CREATE ON SCHEMA auth TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.consume_key(text, integer) OWNER TO auth_resolver;--> statement-breakpoint
REVOKE CREATE ON SCHEMA auth FROM auth_resolver;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION auth.consume_key(text, integer) TO app_direct;
