-- What creates a tenant or a membership, and what a person may change in organizations that the request does not speak
-- for. The caller is whoever the verified claims name. Whatever changes who belongs to an organization takes the lock on
-- its row first, here and in the API, so that the rules about owners and limits hold under concurrency.
GRANT EXECUTE ON FUNCTION auth.uid() TO auth_resolver;--> statement-breakpoint
-- A new organization under the first free slug, with the caller as its owner. Answers the slug, or null: all are taken.
CREATE FUNCTION auth.create_organization(new_organization text, new_member text, title text, slugs text[], image text, extra jsonb)
RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	wanted text;
BEGIN
	FOREACH wanted IN ARRAY slugs LOOP
		INSERT INTO public.organization (id, name, slug, logo, metadata)
		VALUES (new_organization, title, wanted, image, extra)
		ON CONFLICT (slug) DO NOTHING;
		IF FOUND THEN
			INSERT INTO public.member (id, organization_id, user_id, role)
			VALUES (new_member, new_organization, auth.uid(), 'owner');
			RETURN wanted;
		END IF;
	END LOOP;
	RETURN NULL;
END
$$;--> statement-breakpoint
-- Which of the slugs nobody has, deleted organizations included.
CREATE FUNCTION auth.free_slugs(candidates text[])
RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
	SELECT candidate FROM unnest(candidates) WITH ORDINALITY AS proposed (candidate, place)
	WHERE NOT EXISTS (SELECT FROM public.organization o WHERE o.slug = candidate)
	ORDER BY place
$$;--> statement-breakpoint
-- Takes up an invitation to the caller's verified address. Someone who is a member already stays what they are. Answers
-- no row when there is no such invitation for the caller; otherwise what became of it.
CREATE FUNCTION auth.accept_invitation(wanted text, new_member text)
RETURNS TABLE (outcome text, place text, membership text, membership_role text, joined_team text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	seats integer;
	found_invitation record;
BEGIN
	SELECT i.organization_id INTO place
	FROM public.invitation i
	JOIN public."user" u ON u.email = i.email AND u.email_verified AND u.id = auth.uid()
	WHERE i.id = wanted;
	SELECT o.member_limit INTO seats FROM public.organization o
	WHERE o.id = place AND o.deleted_at IS NULL
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN RETURN; END IF;
	SELECT i.role, i.team_id, i.status, i.expires_at INTO found_invitation
	FROM public.invitation i WHERE i.id = wanted FOR NO KEY UPDATE;
	joined_team := found_invitation.team_id;
	IF found_invitation.status <> 'pending' THEN
		outcome := found_invitation.status;
		RETURN NEXT;
		RETURN;
	END IF;
	IF found_invitation.expires_at <= now() THEN
		outcome := 'expired';
		RETURN NEXT;
		RETURN;
	END IF;
	SELECT m.id, m.role INTO membership, membership_role
	FROM public.member m WHERE m.organization_id = place AND m.user_id = auth.uid();
	IF FOUND THEN
		outcome := 'already_member';
	ELSIF (SELECT count(*) FROM public.member m WHERE m.organization_id = place) >= seats THEN
		outcome := 'member_limit';
		RETURN NEXT;
		RETURN;
	ELSE
		outcome := 'joined';
		membership := new_member;
		membership_role := found_invitation.role;
		INSERT INTO public.member (id, organization_id, user_id, role)
		VALUES (new_member, place, auth.uid(), membership_role);
	END IF;
	UPDATE public.invitation SET status = 'accepted', accepted_at = now(), updated_at = now() WHERE id = wanted;
	IF joined_team IS NOT NULL THEN
		INSERT INTO public.team_member (organization_id, team_id, member_id) VALUES (place, joined_team, membership)
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN NEXT;
END
$$;--> statement-breakpoint
-- Turns down an invitation to the caller's verified address. No row when there is none; otherwise what became of it.
CREATE FUNCTION auth.reject_invitation(wanted text)
RETURNS TABLE (outcome text, place text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	SELECT i.status, i.organization_id INTO outcome, place
	FROM public.invitation i
	JOIN public."user" u ON u.email = i.email AND u.email_verified AND u.id = auth.uid()
	WHERE i.id = wanted
	FOR NO KEY UPDATE OF i;
	IF NOT FOUND THEN RETURN; END IF;
	IF outcome = 'pending' THEN
		UPDATE public.invitation SET status = 'rejected', rejected_at = now(), updated_at = now() WHERE id = wanted;
		outcome := 'rejected_now';
	END IF;
	RETURN NEXT;
END
$$;--> statement-breakpoint
-- Before the caller's account is deleted: what becomes of each organization that they belong to. `last_owner`: others
-- would be left without an owner, so the account must stay. `deleted`: nobody else was in it, so it is deleted, softly.
CREATE FUNCTION auth.release_organizations()
RETURNS TABLE (outcome text, place text, membership text, membership_role text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM FROM public.organization o
	WHERE o.id IN (SELECT m.organization_id FROM public.member m WHERE m.user_id = auth.uid())
	ORDER BY o.id
	FOR NO KEY UPDATE;
	FOR place, membership, membership_role IN
		SELECT m.organization_id, m.id, m.role
		FROM public.member m JOIN public.organization o ON o.id = m.organization_id AND o.deleted_at IS NULL
		WHERE m.user_id = auth.uid()
		ORDER BY m.organization_id
	LOOP
		IF NOT EXISTS (SELECT FROM public.member m WHERE m.organization_id = place AND m.id <> membership) THEN
			outcome := 'deleted';
			UPDATE public.organization SET deleted_at = now(), updated_at = now() WHERE id = place;
		ELSIF membership_role = 'owner' AND NOT EXISTS (
			SELECT FROM public.member m WHERE m.organization_id = place AND m.id <> membership AND m.role = 'owner'
		) THEN
			outcome := 'last_owner';
		ELSE
			outcome := 'left';
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION
	auth.create_organization(text, text, text, text[], text, jsonb),
	auth.free_slugs(text[]),
	auth.accept_invitation(text, text),
	auth.reject_invitation(text),
	auth.release_organizations()
FROM PUBLIC;--> statement-breakpoint
GRANT CREATE ON SCHEMA auth TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.create_organization(text, text, text, text[], text, jsonb) OWNER TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.free_slugs(text[]) OWNER TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.accept_invitation(text, text) OWNER TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.reject_invitation(text) OWNER TO auth_resolver;--> statement-breakpoint
ALTER FUNCTION auth.release_organizations() OWNER TO auth_resolver;--> statement-breakpoint
REVOKE CREATE ON SCHEMA auth FROM auth_resolver;--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
	auth.create_organization(text, text, text, text[], text, jsonb),
	auth.free_slugs(text[]),
	auth.accept_invitation(text, text),
	auth.reject_invitation(text),
	auth.release_organizations()
TO authenticated;
